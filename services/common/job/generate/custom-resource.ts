// The custom resource definition of a FineTuneJob, made from the job schema: the same YAML is a job file on a laptop
// and an object on a cluster. Kubernetes itself fills in the same defaults and refuses what the schema refuses.

import { stringify } from 'yaml';
import { invariant } from '../../errors/thaw-error.ts';
import { apiVersion, jobKind } from '../schema/job.ts';
import { jobJsonSchema } from './json-schema.ts';
import { type CelRule, exactlyOne, type RulesAt, type StructuralSchema, structural } from './structural-schema.ts';

const [group = '', version = ''] = apiVersion.split('/');
const plural = 'finetunejobs';

/** RFC 1035: the names of a job's Services and Pods begin with it. */
const nameLengthMax = 40;

const printedColumns = [
  { name: 'State', type: 'string', jsonPath: '.status.state' },
  { name: 'Progress', type: 'integer', jsonPath: '.status.progress.percent', description: 'Done part, in percent.' },
  { name: 'Stage', type: 'string', jsonPath: '.status.progress.stage' },
  { name: 'Loss', type: 'string', jsonPath: '.status.progress.loss' },
  { name: 'Trainers', type: 'string', jsonPath: '.status.trainers.readyOfWanted', description: 'Ready / wanted.' },
  { name: 'ETA', type: 'string', jsonPath: '.status.progress.estimatedRemaining', description: 'At most, as 1h20m.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
] as const;

const bounds = 'trainers.min <= trainers.replicas <= trainers.max is expected';
const wholeShards = 'at most data.shards, because a trainer computes whole shards';

/**
 * Those on trainers stand on the whole spec too: Kubernetes checks the default of trainers, {}, against its rules before
 * it fills in min and replicas.
 */
const rules: RulesAt = {
  spec: [
    { rule: 'self.trainers.min <= self.trainers.replicas', message: bounds },
    { rule: '!has(self.trainers.max) || self.trainers.replicas <= self.trainers.max', message: bounds },
    { rule: 'self.trainers.replicas <= self.data.shards', message: `trainers.replicas is ${wholeShards}` },
    {
      rule: '!has(self.trainers.max) || self.trainers.max <= self.data.shards',
      message: `trainers.max is ${wholeShards}`,
    },
    ...['task', 'model', 'data', 'train', 'output'].map((field) => unchanged(field)),
    ...['threads', 'engine', 'gpus'].map((field) => unchanged(`trainers.${field}`)),
    unchangedOptional('retention'),
  ],
  'spec.train.schedule': [exactlyOne(['preset', 'stages'])],
  'spec.train.schedule.stages[]': [exactlyOne(['epochs', 'steps'])],
};

/** Rules stand on the whole spec: a rule on a field is skipped when the field comes or goes. */
function unchanged(field: string): CelRule {
  return { rule: `self.${field} == oldSelf.${field}`, message: `${field} cannot be changed; create another job` };
}

function unchangedOptional(field: string): CelRule {
  const both = `has(self.${field}) == has(oldSelf.${field})`;
  const { rule, message } = unchanged(field);
  return { rule: `${both} && (!has(self.${field}) || ${rule})`, message };
}

/** The schema of the object. Kubernetes allows no rule on metadata but on its name. */
export function resourceSchema(): StructuralSchema {
  const spec = structural(jobJsonSchema(), rules).properties?.spec;
  invariant(spec !== undefined, 'the job schema has a spec');
  return {
    type: 'object',
    description: 'A fine-tuning job of Thaw.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `Always ${apiVersion}.` },
      kind: { type: 'string', description: `Always ${jobKind}.` },
      metadata: {
        type: 'object',
        properties: {
          name: { type: 'string', maxLength: nameLengthMax, pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$' },
        },
      },
      spec,
      status: {
        type: 'object',
        description: 'What the operator observed.',
        'x-kubernetes-preserve-unknown-fields': true,
      },
    },
  };
}

export function customResourceDefinition() {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: jobKind, listKind: `${jobKind}List`, plural, singular: 'finetunejob', shortNames: ['ftj'] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: printedColumns,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.trainers.replicas',
              statusReplicasPath: '.status.trainers.replicas',
              labelSelectorPath: '.status.trainers.selector',
            },
          },
          schema: { openAPIV3Schema: resourceSchema() },
        },
      ],
    },
  };
}

/** The text of deploy/k8s/base/finetunejobs.crd.yaml. */
export function customResourceYaml(): string {
  const head = '# Made from services/common/job/schema by `npm run generate`; change it there.\n';
  return head + stringify(customResourceDefinition(), { lineWidth: 0, aliasDuplicateObjects: false });
}
