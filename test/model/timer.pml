/* A job that waits for its time, as a message in a stream of its own. Its holders put it into the work queue under one
   message id, whoever they are, and remove the message when the server has answered; who cancels it puts a tombstone
   under the same id first.  Two holders, each believing that the shard is its own, one canceller, one worker.  A publish
   is on its way (fly) until the server takes it; its sender may have crashed by then.                                 */
#ifndef OWNID
#define OWNID 0    /* a message id for each holder: the server takes one of each */
#endif
#ifndef REMOVE1
#define REMOVE1 0  /* the message is removed before the publish is answered */
#endif
#ifndef NOTOMB
#define NOTOMB 0   /* cancelling is nothing but removing the message */
#endif
#ifndef TRACE
#define TRACE 1    /* a holder that begins looks in RUNS for what the server may have forgotten */
#endif
#ifndef LOOK
#define LOOK 1     /* so does a canceller, when its tombstone stands */
#endif
#ifndef B_CRASH
#define B_CRASH 0
#endif
#ifndef B_RESTART
#define B_RESTART 0 /* the server forgets the ids of messages that it no longer holds, and connections end */
#endif
#ifndef B_WINDOW
#define B_WINDOW 0  /* the dedup window passes */
#endif
#ifndef B_ANSWER
#define B_ANSWER 0  /* an answer is lost */
#endif
#ifndef CANCEL
#define CANCEL 0
#endif
mtype = { none, job, tomb, stored, dup, lost };
bool waiting = true;          /* the message is in its stream */
mtype known[2] = none;        /* what the server remembers of a message id */
bool inwork, told;            /* in the work queue; RUNS has it */
bool fly[2];                  /* a publish of this holder that has not arrived */
byte done;
bool cancelled, late, half;   /* answered to the canceller; it crashed in between */
byte bcrash = B_CRASH, brestart = B_RESTART, bwindow = B_WINDOW, banswer = B_ANSWER;
#define ID(me) (OWNID -> me : 0)
inline arrive(me) {           /* the server takes a publish; the subject is a mutex */
  fly[me] = false;
  if :: known[ID(me)] != none || inwork -> answer[me] = dup
     :: else -> known[ID(me)] = job; inwork = true; told = true; answer[me] = stored fi }
mtype answer[2] = none;
byte epoch;                   /* of the server: a connection ends with it */
proctype Holder(byte me) {
  bool got; byte mine;
begin:
  atomic { got = false; answer[me] = none; mine = epoch;
    if :: TRACE && told && waiting -> waiting = false; printf("## H%d finds a trace\n", me) :: else fi }
  do
  :: atomic { mine == epoch && waiting && !got -> got = true }
  :: atomic { mine == epoch && got && !fly[me] && answer[me] == none -> fly[me] = true; printf("## H%d sends\n", me);
       if :: REMOVE1 -> waiting = false :: else fi }
  :: atomic { got && fly[me] -> arrive(me); printf("## H%d: %e\n", me, answer[me]);
       if :: banswer > 0 -> banswer--; answer[me] = none; printf("## H%d: the answer is lost\n", me) :: true fi }
  :: atomic { got && (answer[me] == stored || answer[me] == dup) -> waiting = false; got = false; answer[me] = none;
       printf("## H%d removes\n", me) }
  :: atomic { bcrash > 0 -> bcrash--; printf("## H%d crashes\n", me); goto begin }
  :: atomic { mine != epoch -> goto begin }
  :: atomic { !waiting && !got && !fly[me] -> break }
  od }
proctype Stray() {            /* what a crashed sender left behind arrives by itself */
  byte k;
end_s:
  do :: atomic { fly[0] && bcrash < B_CRASH -> arrive(0); answer[0] = none; printf("## a stray of H0 arrives\n") }
     :: atomic { fly[1] && bcrash < B_CRASH -> arrive(1); answer[1] = none; printf("## a stray of H1 arrives\n") } od }
proctype Worker() {
end_w:
  do :: atomic { inwork -> inwork = false; done++; printf("## done\n"); assert(done <= 1); assert(!cancelled) } od }
proctype Server() {
end_r:
  do :: atomic { brestart > 0 -> brestart--; printf("## restart\n"); fly[0] = false; fly[1] = false;
           if :: known[0] == job && !inwork -> known[0] = none :: else fi;
           if :: known[1] == job && !inwork -> known[1] = none :: else fi;
           epoch++ }
     :: atomic { bwindow > 0 && known[0] != none -> bwindow--; known[0] = none; printf("## the window passes\n") } od }
proctype Canceller() {
  mtype st = none;
  if :: waiting -> skip :: !waiting -> goto end_c fi;
  if :: NOTOMB -> atomic { if :: waiting -> waiting = false; cancelled = true :: else fi }
     :: else ->
        atomic { if :: known[0] == none -> known[0] = tomb; st = tomb
                    :: known[0] == tomb -> st = tomb
                    :: known[0] == job -> st = job fi; printf("## tombstone: %e\n", st) }
        if :: st == job -> late = true
           :: atomic { st == tomb && !(LOOK && told) -> waiting = false; cancelled = true; printf("## cancelled\n");
                assert(!inwork && done == 0) }
           :: atomic { st == tomb && LOOK && told -> late = true }
           :: atomic { st == tomb && bcrash > 0 -> bcrash--; half = true }
        fi
  fi;
end_c: skip }
init {
  atomic { run Holder(0); run Holder(1); run Worker(); run Server(); run Stray();
    if :: CANCEL -> run Canceller() :: else fi }
  (timeout) -> assert(!waiting);
  assert(!inwork);
  assert(cancelled || half || done == 1);
  assert(!late || done == 1) }
