/* When a run is to end early: on a signal, or as its time is up.

   A signal sets a flag on the ranks that it reaches, which may be one, and no more. The rest is agreed on:
   inner solves ask at each step (HGSetStop()), upper steps once each, and every so many questions the ranks
   join flags and clock in a reduction. That cannot lock: whether a question leads to a reduction depends on
   counts alone, which all ranks of a communicator have in common, as they ask in the same order and as the
   next count comes out of the last reduction; never on a flag or a clock of their own. Once a reduction said
   stop every question is answered so, without another one.
   The count aims at one reduction in `target` seconds, which is beyond measure beside the steps between. The
   groups of folds or of a study agree each for itself, since their steps are not each other's; whoever joins
   the groups asks once more. */
#include <petsctime.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli.h"

static const double target = 0.1; /* s between two reductions */

/* ------------------------------------------------------------------ signals */

static const struct {
  int number;
  const char *name;
} signals[] = {{SIGUSR1, "SIGUSR1"},
               {SIGUSR2, "SIGUSR2"},
               {SIGTERM, "SIGTERM"},
               {SIGINT, "SIGINT"},
               {SIGXCPU, "SIGXCPU"}};
enum { NSIGNALS = sizeof(signals) / sizeof(signals[0]), SAME_ONE = 1000 /* ms */ };

/* What a handler may write to; it may run in two threads at once. */
static atomic_int received;
static atomic_uint received_at;

/* A clock in ms that wraps round. */
static unsigned Milliseconds(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (unsigned)now.tv_sec * 1000u + (unsigned)(now.tv_nsec / 1000000);
}

/* The first one is taken down. What comes within a second may be the same on another way (scancel -f reaches
   ranks by the launcher and past it); one behind that ends the process as if it had never been caught. */
static void Catch(int number)
{
  const int error = errno;

  if (!received) {
    received_at = Milliseconds();
    received = number;
  } else if (Milliseconds() - received_at >= SAME_ONE) {
    signal(number, SIG_DFL);
    raise(number); /* comes when the handler has returned */
  }
  errno = error;
}

/* Behind MPI_Init() and PetscInitialize(), so that nobody's own handlers take their place. */
static void CatchSignals(void)
{
  struct sigaction action = {.sa_handler = Catch, .sa_flags = SA_RESTART};

  sigemptyset(&action.sa_mask);
  for (int i = 0; i < NSIGNALS; i++) sigaction(signals[i].number, &action, NULL);
}

/* ------------------------------------------------------------------ options */

/* The questions of one kind, of one communicator. */
typedef struct {
  PetscInt asked, interval; /* since the last reduction, and when the next one is due */
  double last;              /* when that was, by this rank's clock */
} Counter;

enum { KINDS = HG_STAGE_POINT + 1 };
typedef struct {
  Counter counter[KINDS];
  PetscBool agreed; /* to stop */
  int signal;       /* why: the signal, or 0: the time */
  HGStage stage;    /* where */
} Level;

struct _Stops {
  Level level[2]; /* all ranks, and this rank's group */
  PetscMPIInt size;
  double begin, limit; /* when the run began, and the seconds from there that it has; 0: without limit */
  const char *limited_by;
  double writing;   /* s that a checkpoint takes */
  double step_from; /* when this upper step began */
  double step;      /* s that the longest of the last two took */
};

static double Now(void)
{
  PetscLogDouble now = 0;

  (void)PetscTime(&now);
  return now;
}

/* "3550", "3550s", "59m", "1h30m"; negative: none of these */
static double ReadDuration(const char text[])
{
  const struct {
    const char *name;
    double seconds;
  } units[] = {{"h", 3600}, {"min", 60}, {"m", 60}, {"s", 1}};
  double sum = 0;
  const char *at = text;

  do {
    char *end;
    const double number = strtod(at, &end);
    const size_t length = strcspn(end, "0123456789.");
    double unit = end == at || !(number >= 0 && number < 1e9) ? 0 : !*end && at == text ? 1 : 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && end != at; i++)
      if (strlen(units[i].name) == length && !strncmp(end, units[i].name, length)) unit = units[i].seconds;
    if (unit == 0 || !(number >= 0 && number < 1e9)) return -1;
    sum += number * unit;
    at = end + length;
  } while (*at);
  return sum;
}

/* The seconds left to a Slurm job, less a margin for what comes behind the run; 0: it does not tell. */
static double LeftToSlurm(void)
{
  const char *const text = getenv("SLURM_JOB_END_TIME");
  char *end;

  if (!text || !*text) return 0;
  const long long epoch = strtoll(text, &end, 10);
  const double left = (double)epoch - (double)time(NULL);
  if (*end || left <= 0) return 0; /* of a job that is over */
  return left - PetscMin(60, 0.1 * left);
}

PetscErrorCode StopsFromOptions(PetscOptionItems *PetscOptionsObject, Stops *s)
{
  Stops stops;
  char limit[64] = "";
  PetscBool given;

  PetscFunctionBegin;
  PetscCall(PetscNew(&stops));
  *s = stops;
  stops->begin = stops->step_from = Now();
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &stops->size));
  for (int l = 0; l < 2; l++)
    for (int k = 0; k < KINDS; k++)
      stops->level[l].counter[k] = (Counter){.interval = 1, .last = stops->begin};
  PetscCall(
      PetscOptionsString("-max_walltime",
                         "Stop before so long a time is over (3550s, 59m, 1h30m, or seconds), with exit "
                         "code 75; empty: as SLURM_JOB_END_TIME says",
                         "twofold", limit, limit, sizeof(limit), &given));
  if (given) {
    stops->limit = ReadDuration(limit);
    stops->limited_by = "-max_walltime";
    PetscCheck(stops->limit > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
               "-max_walltime %s: write a time, as 3550s, 59m, 1h30m, or a number of seconds", limit);
  } else {
    stops->limit = LeftToSlurm();
    stops->limited_by = "SLURM_JOB_END_TIME";
    PetscCallMPI(MPI_Bcast(&stops->limit, 1, MPI_DOUBLE, 0, PETSC_COMM_WORLD)); /* others may not have it */
  }
  CatchSignals();
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StopsDestroy(Stops *stops)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(*stops));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ agreement */

/* Whether no more than what a checkpoint takes would be left of the time after `ahead` seconds. */
static int IsLate(const struct _Stops *stops, double now, double ahead)
{
  const double spare = 1.5 * stops->writing + PetscMin(5, 0.01 * stops->limit);

  return stops->limit > 0 && now - stops->begin + ahead + spare >= stops->limit;
}

/* The ranks of comm join what they know; the clock is that of the first one. */
static PetscErrorCode Agree(Stops stops, MPI_Comm comm, Level *level, HGStage stage, double ahead)
{
  Counter *const counter = &level->counter[stage];
  const double now = Now();
  const Level *const group = &stops->level[1];
  double all[3] = {received, 0, 0};
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    all[1] = IsLate(stops, now, ahead);
    all[2] = now - counter->last;
  }
  if (group->agreed) { /* a group of its own has stopped already */
    all[0] = PetscMax(all[0], group->signal);
    all[1] = 1;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, 3, MPI_DOUBLE, MPI_MAX, comm));
  level->agreed = (PetscBool)(all[0] > 0 || all[1] > 0);
  level->signal = (int)all[0];
  level->stage = stage;
  counter->last = now;
  const double next = (double)counter->asked * target / PetscMax(all[2], 1e-9);
  counter->interval = PetscMax(1, (PetscInt)PetscMin(next, 2.0 * (double)counter->interval));
  counter->asked = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Ask(Stops stops, MPI_Comm comm, HGStage stage, PetscBool *stop)
{
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  Level *const level = &stops->level[size == stops->size ? 0 : 1];
  *stop = (PetscBool)(stops->level[0].agreed || level->agreed);
  if (*stop || ++level->counter[stage].asked < level->counter[stage].interval)
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Agree(stops, comm, level, stage, 0));
  *stop = level->agreed;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StopsAsk(HG hg, HGStage stage, PetscBool *stop, void *ctx)
{
  PetscFunctionBegin;
  PetscCall(Ask((Stops)ctx, PetscObjectComm((PetscObject)hg), stage, stop));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StopsAskLower(void *ctx, PetscInt its, PetscBool *stop)
{
  PetscFunctionBegin;
  (void)its;
  PetscCall(Ask((Stops)ctx, PETSC_COMM_WORLD, HG_STAGE_LOWER, stop));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the groups agreed on becomes that of all. */
static PetscErrorCode Join(Stops stops)
{
  const Level *const group = &stops->level[1];
  Level *const all = &stops->level[0];
  int some[3] = {group->agreed, group->agreed ? group->signal : 0, group->agreed ? (int)group->stage : 0};

  PetscFunctionBegin;
  if (all->agreed) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, some, 3, MPI_INT, MPI_MAX, PETSC_COMM_WORLD));
  all->agreed = (PetscBool)some[0];
  all->signal = some[1];
  all->stage = (HGStage)some[2];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StopsAskStep(Stops stops, PetscBool *stop)
{
  Level *const all = &stops->level[0];
  const double now = Now(), step = now - stops->step_from;

  PetscFunctionBegin;
  if (!all->agreed)
    PetscCall(Agree(stops, PETSC_COMM_WORLD, all, HG_STAGE_POINT, PetscMax(step, stops->step)));
  stops->step = step;
  stops->step_from = now;
  *stop = all->agreed;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StopsWrote(Stops stops, double seconds)
{
  PetscFunctionBegin;
  stops->writing = PetscMax(stops->writing, seconds);
  stops->step_from += seconds; /* not the step's */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StopsExpect(Stops stops, double bytes)
{
  PetscFunctionBegin;
  stops->writing = bytes / 100e6;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StopsTell(Stops stops, Stopped *why)
{
  const char *const stages[KINDS] = {"in the lower level", "in the adjoint solve", "in the reverse sweep",
                                     "between two steps"};
  const Level *const all = &stops->level[0];

  PetscFunctionBegin;
  PetscCall(Join(stops));
  *why = (Stopped){.by = stops->limited_by, .signal = all->signal, .where = stages[all->stage]};
  for (int i = 0; i < NSIGNALS; i++)
    if (signals[i].number == all->signal) why->by = signals[i].name;
  PetscFunctionReturn(PETSC_SUCCESS);
}

void StopsSummarise(Json *json, const Stopped *why, const char go_on[])
{
  JsonOpen(json, "stopped");
  JsonString(json, "by", why->by);
  if (why->signal) JsonInt(json, "signal", why->signal);
  JsonString(json, "where", why->where);
  JsonString(json, "go_on", go_on);
  JsonClose(json);
}
