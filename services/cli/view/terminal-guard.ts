// Gives the terminal back on the ways out that nobody announces: the end of the process, also by an exception (Node says
// `exit` before it prints the trace), and Ctrl-Z. Signals that end a run are the command's: it calls the view's `end`.

export interface Guarded {
  /** Takes the live block away and shows the cursor. */
  release(): void;
  /** Shows the block again, after a Ctrl-Z. */
  resume(): void;
}

/** Returns the function that takes the guard off again. */
export function guardTerminal({ release, resume }: Guarded): () => void {
  const stop = (): void => {
    release();
    process.kill(process.pid, 'SIGSTOP');
  };
  process.on('exit', release);
  process.on('SIGTSTP', stop);
  process.on('SIGCONT', resume);
  return () => {
    process.off('exit', release);
    process.off('SIGTSTP', stop);
    process.off('SIGCONT', resume);
  };
}
