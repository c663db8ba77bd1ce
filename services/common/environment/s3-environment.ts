// What the environment says about S3, under the names that the tools of AWS read. Taken as it is: only a job with an s3:
// source needs it, and says then what is wrong with it. Profiles and roles are not looked up.

export interface S3Environment {
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
  readonly region?: string | undefined;
  /** Of a server that is not that of AWS. */
  readonly endpoint?: string | undefined;
}

/** An empty variable counts as none. `env`: the process environment, read by main.ts only. */
export function s3Environment(env: NodeJS.ProcessEnv): S3Environment {
  return {
    accessKeyId: env.AWS_ACCESS_KEY_ID || undefined,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY || undefined,
    sessionToken: env.AWS_SESSION_TOKEN || undefined,
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined,
    endpoint: env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined,
  };
}

/** For processes that ask S3 for nothing: they get no secret that they could lose. */
export function withoutS3(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('AWS_')));
}
