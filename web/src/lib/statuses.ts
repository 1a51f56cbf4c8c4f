/** A status for eyes: a sign and the name of its colour; the word is always beside it. */
const SIGNS: Record<string, [string, string]> = {
  success: ["✓", "good"],
  approved: ["✓", "good"],
  error: ["✗", "bad"],
  denied: ["✗", "bad"],
  running: ["●", "busy"],
  elected: ["●", "busy"],
  terminating: ["■", "wait"],
  terminated: ["■", "still"],
  pending: ["○", "still"],
  delayed: ["○", "wait"],
  "pending-approval": ["?", "wait"],
  skipped: ["–", "still"],
  paused: ["‖", "wait"],
  stopped: ["■", "still"],
  creating: ["●", "busy"],
  starting: ["●", "busy"],
  stopping: ["■", "wait"],
  pausing: ["‖", "wait"],
  unpausing: ["●", "busy"],
  debugging: ["‖", "wait"],
};

export function sign(status: string): [string, string] {
  return SIGNS[status] ?? ["·", "still"];
}
