// What an S3 server's refusal means, and what would be right. Of its answer only the error's code and the region are
// taken: the rest may quote the request.

import { isBusy, type Refusal } from './file-server.ts';

const answerBytesMax = 64 * 1024;

export interface S3Question {
  readonly bucket: string;
  readonly region: string;
  readonly isAnonymous: boolean;
}

export async function s3Refusal(response: Response, question: S3Question): Promise<Refusal> {
  const { status } = response;
  const answer = await beginningOf(response);
  const code = /<Code>(\w{1,64})<\/Code>/.exec(answer)?.[1] ?? '';
  const said = `its server says ${status} ${code || response.statusText}`.trim();
  const region = response.headers.get('x-amz-bucket-region') ?? /<Region>([a-z0-9-]{1,64})<\/Region>/.exec(answer)?.[1];
  const isElsewhere = region !== undefined && region !== question.region;
  if (isElsewhere && (movedCodes.has(code) || status === 301 || status === 307)) {
    return final(
      `the bucket ${question.bucket} lies in the region ${region}; expected AWS_REGION=${region}, found ${question.region}`,
    );
  }
  const clock = response.headers.get('date') ?? 'another time';
  const meaning = meanings(question, clock)[code];
  if (meaning !== undefined) return final(`${said}: ${meaning}`);
  if (status === 403) return final(`${said}: ${denied(question)}`);
  return { reason: said, mayPass: isBusy(status) || busyCodes.has(code) };
}

/** A region that a bucket is not in is said with these. */
const movedCodes = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

const busyCodes = new Set(['SlowDown', 'RequestTimeout', 'InternalError', 'ServiceUnavailable']);

function meanings(question: S3Question, serverClock: string): Readonly<Record<string, string>> {
  const { bucket, region } = question;
  return {
    NoSuchBucket: `there is no bucket ${bucket} at this endpoint`,
    NoSuchKey: `the bucket ${bucket} has no such key; expected s3://${bucket}/ and the whole key, with its case`,
    AccessDenied: denied(question),
    AllAccessDisabled: denied(question),
    InvalidAccessKeyId: 'it does not know AWS_ACCESS_KEY_ID; expected a key of this endpoint',
    SignatureDoesNotMatch: `the request is not signed as it expects; expected the AWS_SECRET_ACCESS_KEY of AWS_ACCESS_KEY_ID, and AWS_REGION (${region}) as the bucket's`,
    ExpiredToken: 'the credentials have expired; expected an AWS_SESSION_TOKEN that is valid, with its keys',
    InvalidToken:
      'AWS_SESSION_TOKEN does not belong to AWS_ACCESS_KEY_ID; expected the three of one login, or none of it',
    RequestTimeTooSkewed: `its clock says ${serverClock}, which this machine's clock is too far from; expected at most 15 minutes`,
    InvalidObjectState: 'the object lies in an archive (Glacier); expected one that was restored',
    PermanentRedirect: `the bucket ${bucket} is served by another endpoint; expected AWS_REGION or AWS_ENDPOINT_URL of the bucket`,
  };
}

function denied({ bucket, isAnonymous }: S3Question): string {
  return isAnonymous
    ? `the bucket ${bucket} is not public, and there are no credentials; expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (of a profile: aws configure export-credentials --format env)`
    : `AWS_ACCESS_KEY_ID may not read it, or it is not there; expected a key with s3:GetObject (and s3:ListBucket, by which a missing key is said)`;
}

function final(reason: string): Refusal {
  return { reason, mayPass: false };
}

async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
    if (bytes > answerBytesMax) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
