/** What is verified, and what has to come of it. The words of the defines are explained in the models. */

export type Verdict = "clean" | "caught";

export interface Variant {
  name: string;
  model: "fire.pml" | "view.pml" | "timer.pml";
  /** Defines, in short: `CONN TAKE=2` is -DCONN=1 -DTAKE=2. */
  defines: string;
  expected: Verdict;
}

const fire =
  (expected: Verdict) =>
  (name: string, defines: string): Variant => ({ name, model: "fire.pml", defines, expected });
const view =
  (expected: Verdict) =>
  (name: string, defines: string): Variant => ({ name, model: "view.pml", defines, expected });

const timer =
  (expected: Verdict) =>
  (name: string, defines: string): Variant => ({ name, model: "timer.pml", defines, expected });

const [fireCaught, fireClean] = [fire("caught"), fire("clean")];
const [viewCaught, viewClean] = [view("caught"), view("clean")];

const [timerCaught, timerClean] = [timer("caught"), timer("clean")];

/** A worker that writes no events, and no metric of it arrives. */
const BARE = "TELL RETRY VOID CONN RECON RULE BARE B_METRIC=2";

/** Each leaves a rule out, or meets a fault that the rules in it do not cover. */
const broken: Variant[] = [
  fireCaught("a late publish after a server restart", "B_TAKE B_RESTART"),
  fireCaught("a lost publish acknowledgement, then a restart", "B_ACKLOST B_RESTART"),
  fireCaught("settle reads RUNS, then a restart, then it publishes", "B_CRASH B_RESTART"),
  fireCaught("fired and skipped, after a takeover", "SKIP B_TAKE"),
  fireCaught("fired and skipped, after a crash", "SKIP B_CRASH"),
  fireCaught("a deposed holder records a skip", "VOID RULE SKIP B_TAKE"),
  fireCaught("skip by commit is not enough without tombstones", "SKIPC RULE SKIP B_TAKE"),
  fireCaught(
    "bare worker: done before it was told, a crash, a restart: the residual risk",
    `${BARE} B_CRASH B_RESTART`,
  ),
  fireCaught(
    "bare worker: done before it was told, a takeover, a restart: likewise",
    `${BARE} B_TAKE B_RESTART`,
  ),
  fireCaught("a revision used twice after a power failure", "B_LOSTW"),
  fireCaught(
    "a tombstone's duplicate read as fired: a slot is lost",
    "CONN RECON VOID=2 SKIPC RULE SKIP B_TAKE B_RESTART",
  ),
  fireCaught("a stray publish outlives the dedup window", "B_TAKE B_WINDOW"),
  viewCaught("a definition is passed over: no view in the record", ""),
  viewCaught("a definition is passed over: commits run ahead", "AHEAD"),
  viewCaught("a definition is passed over: the first cursor is now", "INITNOW B_TAKE=0"),
  viewCaught("the cursor goes back with a slow clock", "SKEW CURNOW WM"),
  timerCaught("timers: a message id for each holder", "OWNID"),
  timerCaught("timers: removed before the publish is answered, a restart", "REMOVE1 B_RESTART"),
  timerCaught("timers: nobody looks for traces after a restart", "TRACE=0 B_RESTART"),
  timerCaught("timers: cancelling without a tombstone", "CANCEL NOTOMB"),
  timerCaught("timers: a canceller does not look for traces, a restart", "CANCEL LOOK=0 B_RESTART"),
  timerCaught("timers: a stray publish outlives the dedup window", "B_WINDOW B_CRASH"),
];

const sound: Variant[] = [
  fireClean("two takeovers and a lost acknowledgement", "B_TAKE=2 B_ACKLOST"),
  fireClean("takeover and crash", "B_TAKE B_CRASH"),
  fireClean("takeover and an ambiguous compare-and-swap", "B_TAKE B_CASTO"),
  fireClean("connection rules: takeover and restart", "CONN RECON RULE B_TAKE B_RESTART"),
  fireClean("connection rules: crash and restart", "CONN RECON RULE B_CRASH B_RESTART"),
  fireClean("connection rules: lost acknowledgement and restart", "CONN RECON RULE B_ACKLOST B_RESTART"),
  fireClean("an orchestrator remembers its answers: bare worker, restart", `N=1 ${BARE} B_RESTART`),
  fireClean("told before it is dropped: bare worker, takeover, crash", `BATCH=1 ${BARE} B_TAKE B_CRASH`),
  fireClean(
    "told before it is dropped: takeover, restart",
    "BATCH=1 TELL RETRY CONN RECON VOID RULE B_TAKE B_RESTART",
  ),
  fireClean(
    "told before it is dropped: overlap skip, takeover, restart",
    "BATCH=1 TELL RETRY CONN RECON VOID SKIPC RULE SKIP B_TAKE B_RESTART",
  ),
  fireClean(
    "tombstones: takeover, lost acknowledgement, restart",
    "VOID RETRY RULE B_TAKE B_ACKLOST B_RESTART",
  ),
  fireClean("tombstones: overlap skip, takeover, crash", "VOID SKIPC RULE SKIP B_TAKE B_CRASH"),
  fireClean(
    "tombstones: overlap skip, takeover, restart",
    "CONN RECON VOID SKIPC RULE SKIP B_TAKE B_RESTART",
  ),
  fireClean(
    "overlap buffer: runs wait for their turn, takeover, crash",
    "BATCH=1 TELL RETRY VOID RULE SKIP BUFFER B_TAKE B_CRASH",
  ),
  fireClean(
    "overlap buffer: runs wait for their turn, takeover, restart",
    "BATCH=1 TELL RETRY CONN RECON VOID RULE SKIP BUFFER B_TAKE B_RESTART",
  ),
  fireClean("fence: overlap skip", "FENCE SKIPC RULE SKIP B_TAKE"),
  fireClean("fence: takeover and restart", "FENCE CONN RECON RULE B_TAKE B_RESTART"),
  fireClean("fence: overlap skip, takeover, restart", "FENCE CONN RECON RULE SKIPC SKIP B_TAKE B_RESTART"),
  fireClean("fence: the dedup window passes", "FENCE CONN RECON RULE GUARD B_TAKE B_WINDOW"),
  fireClean("a lost write, read back after the reconnect", "RECON B_LOSTW"),
  fireClean("ledger: bare worker", "LEDGER BARE B_METRIC B_ACKLOST B_RESTART B_WINDOW"),
  fireClean("the worker asks RUNS first", "GUARD B_TAKE B_RESTART B_ACKLOST"),
  viewClean("view in the record", "WM"),
  viewClean("view in the record, commits run ahead", "WM AHEAD"),
  viewClean("view in the record, a slow clock", "WM SKEW"),
  viewClean("view in the record, the first cursor is now", "WM INITNOW"),
  timerClean("timers: two holders, crashes, lost answers", "B_CRASH=2 B_ANSWER=2"),
  timerClean("timers: restarts and a crash", "B_RESTART=2 B_CRASH B_ANSWER"),
  timerClean("timers: cancelling, a crash, a lost answer", "CANCEL B_CRASH B_ANSWER"),
  timerClean("timers: cancelling, a restart, a crash", "CANCEL B_RESTART B_CRASH"),
];

export const variants: readonly Variant[] = [...broken, ...sound];
