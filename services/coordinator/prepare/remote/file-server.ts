// How a server of files is asked for one: what differs between the web and S3. Limits, resuming and the digest are the
// same for both, and stand in download.ts.

export interface FileServer {
  /** Header that asks for a range of the file with this ETag only. */
  readonly ifSame: 'if-range' | 'if-match';
  /** How it was asked, where the user should know; empty otherwise. */
  readonly remark: string;
  /** A GET, or why it is not sent. Throws what `fetch` throws. */
  ask(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response | Refusal>;
  /** What an answer other than the file means. */
  refusal(response: Response): Promise<Refusal>;
}

export interface Refusal {
  /** In words, without a secret. */
  readonly reason: string;
  /** Whether asking again may help. */
  readonly mayPass: boolean;
}

/** Answers of a server that is busy, by HTTP. */
export function isBusy(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}
