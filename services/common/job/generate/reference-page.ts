// docs/job-file.md: every field of a job file with its type, its default and what it means, from the job schema. What
// the format knows and Thaw refuses for now is marked so.

import { isChoice, type JsonSchema, jobJsonSchema } from './json-schema.ts';
import { isSupported, type SchemaPath } from './supported.ts';
import { typeText } from './type-text.ts';

/** Larger objects get a section of their own; smaller ones stand in their parent's table. */
const inlineFieldsMax = 3;

const intro = `<!-- Made from services/common/job/schema by \`npm run generate\`; change it there. -->

# The job file

A job is one YAML document. Unknown keys are refused, with the nearest known one; nothing is guessed. A field that is
neither **required** nor has a default may be left out, and its meaning says what happens then. Where a list or an object
takes *exactly one key*, that key is the choice: \`{dense: {units: 128}}\`.

*not yet* marks what the format knows and this version refuses by name (\`NotSupported\`).

\`thaw validate JOB\` checks a file, \`thaw plan JOB\` shows the stages it becomes, and \`thaw schema\` prints a JSON Schema
with which editors complete and check it:

\`\`\`yaml
# yaml-language-server: $schema=./finetunejob.schema.json
\`\`\`
`;

interface Section {
  readonly path: SchemaPath;
  readonly schema: JsonSchema;
}

export function referencePage(): string {
  const waiting: Section[] = [{ path: [], schema: jobJsonSchema() }];
  const parts = [intro];
  for (let section = waiting.shift(); section; section = waiting.shift()) {
    const inner: Section[] = [];
    parts.push(sectionText(section, inner));
    waiting.unshift(...inner);
  }
  return parts.join('\n');
}

/** `inner` receives the sections that this one refers to. */
function sectionText(section: Section, inner: Section[]): string {
  const { path, schema } = section;
  const title = path.length === 0 ? 'Top level' : `\`${printed(path)}\``;
  const choice = isChoice(schema) && !schema.description?.includes('exactly one key') ? 'Exactly one key.' : '';
  const lines = [schema.description, choice].filter((line) => line);
  const table = rows(section, [], inner).map((cells) => `| ${cells.join(' | ')} |`);
  const head = ['| field | type | default | meaning |', '| --- | --- | --- | --- |'];
  return [`## ${title}`, '', ...(lines.length > 0 ? [lines.join(' '), ''] : []), ...head, ...table, ''].join('\n');
}

/** The rows of an object's fields; `prefix` are the keys from the section's object to this one. */
function rows({ path, schema }: Section, prefix: SchemaPath, inner: Section[]): string[][] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const place = [...path, key];
    const name = [...prefix, key];
    const fieldRow = row({ place, name, field, required: required.has(key) });
    const object = field.type === 'array' ? field.items : field;
    if (!object?.properties || Object.keys(object.properties).length === 0) return [fieldRow];
    const nested =
      field.type === 'array' ? { path: [...place, '[]'], schema: object } : { path: place, schema: object };
    const isSmall = Object.keys(object.properties).length <= inlineFieldsMax && !isChoice(object);
    if (isChoice(schema) || (isSmall && field.type === 'object')) {
      return [fieldRow, ...rows(nested, name, inner)];
    }
    inner.push(nested);
    return [[`[${fieldRow[0]}](#${anchor(nested.path)})`, ...fieldRow.slice(1)]];
  });
}

interface Field {
  readonly place: SchemaPath;
  readonly name: SchemaPath;
  readonly field: JsonSchema;
  readonly required: boolean;
}

function row({ place, name, field, required }: Field): string[] {
  const preset = field.default === undefined ? '' : code(JSON.stringify(field.default));
  const isKnown = isSupported(place) || !isSupported(place.slice(0, -1));
  const mark = field.enum || isKnown || place.length < 2 ? '' : '*not yet* ';
  const meaning = mark + (field.description ?? '').replaceAll(/[|*_<]/g, '\\$&');
  return [code(printed(name)), typeText(field, place), required ? '**required**' : preset, meaning];
}

function printed(path: SchemaPath): string {
  return path.join('.').replaceAll('.[]', '[]');
}

/** As GitHub makes it from the heading. */
function anchor(path: SchemaPath): string {
  return printed(path)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}
