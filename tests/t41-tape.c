/* Tapes: what comes back is bitwise what was pushed, in every type, for states of one and more vectors, or in
   single precision what rounding makes of it. The steps that a revolve makes again are as few as dynamic
   programming finds. */
#include <dirent.h>
#include <float.h>
#include <sys/resource.h>
#include <unistd.h>
#include "problem.h"

static const PetscInt size = 5; /* fewer numbers than ranks on the largest runs */

static PetscBool single;         /* the tapes are in single precision, */
static PetscBool direct;         /* and those on disk go past the cache */
static PetscBool remakes;        /* the tape gives states that it has not kept, too */
static PetscInt too_large = -10; /* the iterate that no float holds, by one entry on one rank */

/* w_i of a recording, i >= -history */
static PetscErrorCode FillIterate(Vec w, PetscInt64 recording, PetscInt i)
{
  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(w, 1000 * recording + i));
  if (i == too_large) {
    PetscCall(VecSetValue(w, size - 1, -3.5e38, INSERT_VALUES));
    PetscCall(VecAssemblyBegin(w));
    PetscCall(VecAssemblyEnd(w));
  }
  PetscFunctionReturn(0);
}

/* Whether x is what the tape has to give for `pushed`. */
static PetscErrorCode Matches(Vec x, Vec pushed, PetscBool *same)
{
  PetscScalar *a;
  PetscInt n;
  Vec rounded;

  PetscFunctionBegin;
  PetscCall(VecEqual(x, pushed, same));
  if (!single || (remakes && *same)) PetscFunctionReturn(0);
  PetscCall(VecDuplicate(pushed, &rounded));
  PetscCall(VecCopy(pushed, rounded));
  PetscCall(VecGetLocalSize(rounded, &n));
  PetscCall(VecGetArray(rounded, &a));
  for (PetscInt i = 0; i < n; i++) a[i] = (float)PetscRealPart(a[i]);
  PetscCall(VecRestoreArray(rounded, &a));
  PetscCall(VecEqual(x, rounded, same));
  PetscCall(VecDestroy(&rounded));
  PetscFunctionReturn(0);
}

/* State i of a recording: (w_i, w_{i-1}, ...). */
static PetscErrorCode FillState(State x, PetscInt64 recording, PetscInt i)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < x->n; k++) PetscCall(FillIterate(x->v[k], recording, i - k));
  PetscFunctionReturn(0);
}

/* A step is a change of numbers, too: from those of state i to those of state i + 1. */
typedef struct {
  PetscInt64 recording;
  PetscInt steps;
} Steps;

static Steps made;

static PetscErrorCode MakeStep(void *ctx, PetscInt i, State x)
{
  Steps *const s = (Steps *)ctx;
  PetscBool same;
  State expected;

  PetscFunctionBegin;
  PetscCall(StateCreate(x->v[0], x->n, &expected));
  PetscCall(FillState(expected, s->recording, i));
  for (PetscInt k = 0; k < x->n; k++) {
    PetscCall(Matches(x->v[k], expected->v[k], &same));
    CHECK(same, "the step from state %d begins elsewhere", (int)i);
  }
  PetscCall(StateDestroy(&expected));
  PetscCall(FillState(x, s->recording, i + 1));
  s->steps++;
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeTape(TapeType type, PetscInt window, PetscInt nstate, Tape *tape, State *x)
{
  Vec like;

  PetscFunctionBegin;
  PetscCall(VecCreateMPI(TEST_COMM, PETSC_DECIDE, size, &like));
  PetscCall(StateCreate(like, nstate, x));
  PetscCall(VecDestroy(&like));
  PetscCall(TapeCreate(TEST_COMM, tape));
  PetscCall(TapeSetType(*tape, type));
  PetscCall(TapeSetWindow(*tape, window));
  PetscCall(TapeSetSingle(*tape, single));
  PetscCall(TapeSetDirect(*tape, direct));
  PetscCall(PetscStrcmp(type, TAPEREVOLVE, &remakes));
  PetscCall(TapeSetAdvance(*tape, MakeStep, &made));
  PetscCall(TapeSetUp(*tape, *x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Push(Tape tape, State x, PetscInt64 recording, PetscInt length)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < length; i++) {
    PetscCall(FillState(x, recording, i));
    PetscCall(TapePush(tape, x));
  }
  PetscCall(StateZero(x)); /* the tape has copies */
  made.recording = recording;
  made.steps = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode ExpectState(Tape tape, State expected, PetscInt64 recording, PetscInt i)
{
  State x;

  PetscFunctionBegin;
  PetscCall(FillState(expected, recording, i));
  PetscCall(TapeGetState(tape, i, &x));
  CHECK(x->n == expected->n, "a state of %d vectors", (int)x->n);
  for (PetscInt k = 0; k < x->n; k++) {
    PetscBool same;
    PetscCall(Matches(x->v[k], expected->v[k], &same));
    CHECK(same, "recording %d: vector %d of state %d is not what was pushed", (int)recording, (int)k, (int)i);
  }
  PetscCall(TapeRestoreState(tape, i, &x));
  CHECK(!x, "a state given back is still there");
  PetscFunctionReturn(0);
}

/* Reverse sweep over what the tape holds, from `first` on; what lies outside is refused. */
static PetscErrorCode Sweep(Tape tape, State x, PetscInt64 recording, PetscInt first, PetscInt length)
{
  PetscInt from, n;
  State none;

  PetscFunctionBegin;
  PetscCall(TapeGetRange(tape, &from, &n));
  CHECK(from == first && n == length, "the tape holds %d to %d, not %d to %d", (int)from, (int)n, (int)first,
        (int)length);
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapeGetState(tape, first - 1, &none));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapeGetState(tape, length, &none));
  for (PetscInt i = length - 1; i >= first; i--) PetscCall(ExpectState(tape, x, recording, i));
  PetscFunctionReturn(0);
}

/* Recordings of different lengths on one tape. */
static PetscErrorCode Recordings(TapeType type, PetscInt nstate)
{
  const PetscInt lengths[] = {7, 0, 1, 9, 2, 9}, window = 4;
  PetscBool ring;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(type, TAPERING, &ring));
  PetscCall(MakeTape(type, window, nstate, &tape, &x));
  for (int r = 0; r < 6; r++) {
    const PetscInt first = ring ? PetscMax(0, lengths[r] - window) : 0;
    PetscCall(TapeRewind(tape));
    PetscCall(Push(tape, x, r + 1, lengths[r]));
    PetscCall(Sweep(tape, x, r + 1, first, lengths[r]));
  }
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* One state is lent at a time. */
static PetscErrorCode Lending(TapeType type)
{
  Tape tape;
  State x, lent, second;

  PetscFunctionBegin;
  PetscCall(MakeTape(type, 4, 2, &tape, &x));
  PetscCall(Push(tape, x, 1, 3));
  PetscCall(TapeGetState(tape, 2, &lent));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, TapeGetState(tape, 1, &second));
  PetscCall(TapeRestoreState(tape, 2, &lent));
  PetscCall(ExpectState(tape, x, 1, 1));
  PetscCall(TapeGetState(tape, 0, &lent)); /* and is not given back: the sweep ends in an error */
  PetscCall(TapeRewind(tape));
  PetscCall(Push(tape, x, 2, 3));
  PetscCall(Sweep(tape, x, 2, 0, 3));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* What poison gave back is NaN from then on, its older vectors are not. */
static PetscErrorCode Poison(void)
{
  PetscReal norm;
  PetscBool same;
  Tape tape;
  State x, lent;

  PetscFunctionBegin;
  PetscCall(MakeTape(TAPEPOISON, 4, 2, &tape, &x));
  PetscCall(Push(tape, x, 1, 5));
  PetscCall(ExpectState(tape, x, 1, 4));
  PetscCall(TapeGetState(tape, 4, &lent));
  PetscCall(VecNorm(lent->v[0], NORM_2, &norm));
  CHECK(PetscIsNanReal(norm), "a released state still reads %g", norm);
  PetscCall(FillIterate(x->v[0], 1, 3));
  PetscCall(Matches(lent->v[1], x->v[0], &same));
  CHECK(same, "the state before the released one is damaged");
  PetscCall(TapeRestoreState(tape, 4, &lent));
  PetscCall(TapeRewind(tape));
  PetscCall(Push(tape, x, 2, 6));
  PetscCall(Sweep(tape, x, 2, 0, 6));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* A ring forgets; a larger window starts anew. */
static PetscErrorCode Ring(void)
{
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(MakeTape(TAPERING, 1, 2, &tape, &x));
  PetscCall(Push(tape, x, 1, 8));
  PetscCall(Sweep(tape, x, 1, 7, 8));
  PetscCall(TapeSetWindow(tape, 20));
  PetscCall(TapeSetUp(tape, x));
  PetscCall(Push(tape, x, 2, 8));
  PetscCall(Sweep(tape, x, 2, 0, 8));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapeSetWindow(tape, 0));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* Bytes of a number on the tape. */
static PetscLogDouble Number(void)
{
  return (PetscLogDouble)(single ? sizeof(float) : sizeof(PetscScalar));
}

/* Memory beside that of the numbers on the tape: states in double precision, one that steps are made in and
   one that is lent. */
static PetscLogDouble Beside(State x)
{
  PetscInt nlocal;

  VecGetLocalSize(x->v[0], &nlocal);
  return (PetscLogDouble)(((remakes ? 1 : 0) + (single ? 1 : 0)) * x->n * nlocal) *
         (PetscLogDouble)sizeof(PetscScalar);
}

static PetscErrorCode Memory(TapeType type, PetscInt nstate)
{
  PetscLogDouble bytes;
  PetscInt nlocal;
  PetscBool ring;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(PetscStrcmp(type, TAPERING, &ring));
  PetscCall(MakeTape(type, 4, nstate, &tape, &x));
  PetscCall(VecGetLocalSize(x->v[0], &nlocal));
  PetscCall(TapeGetMemory(tape, 10, &bytes));
  const PetscInt pieces = remakes ? 10 * nstate : (ring ? 4 : 10) + nstate - 1;
  const PetscLogDouble expected = (PetscLogDouble)(pieces * nlocal) * Number() + Beside(x);
  CHECK(bytes == expected, "%s: %g bytes instead of %g", type, bytes, expected);
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ budgets */

/* Bytes of n iterates on the rank with most. */
static PetscErrorCode Budget(State x, PetscInt n, PetscLogDouble *bytes)
{
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(x->v[0], &nlocal));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &nlocal, 1, MPIU_INT, MPI_MAX, TEST_COMM));
  *bytes = (PetscLogDouble)(n * nlocal) * Number();
  PetscFunctionReturn(0);
}

/* steps[s][t]: the least number of steps to read t states backwards with s of them kept, from the first one;
   by dynamic programming over where the next one is kept. */
enum { most_states = 130, most_kept = 20 };
static PetscInt steps[most_kept + 1][most_states + 1];

static void FillSteps(void)
{
  for (PetscInt s = 1; s <= most_kept; s++)
    for (PetscInt t = 2; t <= most_states; t++) {
      steps[s][t] = t * (t - 1) / 2;
      for (PetscInt m = 1; m < t && s > 1; m++)
        steps[s][t] = PetscMin(steps[s][t], m + steps[s - 1][t - m] + steps[s][m]);
    }
}

/* Steps made again where t is unknown: the states kept are those at a distance d, and the last other one. */
static PetscInt StepsOfUnknown(PetscInt t, PetscInt s)
{
  PetscInt d = 1, sum = 0;

  while ((t + d - 1) / d > s) d *= 2;
  /* unless it was one of those until the distance grew from 1 to 2, with the last push */
  const PetscInt last = t > 1 && (t - 1) % d == 0 && !(d == 2 && t - 1 == s) ? t - 2 : t - 1;
  for (PetscInt base = 0, k = s; base < t; base += d, k--) {
    const PetscInt n = PetscMin(d, t - base);
    sum += steps[k][base <= last && last < base + n ? last - base : n];
  }
  return sum;
}

static PetscErrorCode RevolveOnce(Tape tape, State x, PetscInt first, PetscInt t, PetscInt s, PetscBool known)
{
  const PetscInt n = t - first;
  PetscLogDouble budget;
  TapeCounts counts;

  PetscFunctionBegin;
  PetscCall(TapeRewind(tape));
  if (known) PetscCall(TapeExpect(tape, first, t));
  PetscCall(Push(tape, x, 100 * t + s, t));
  PetscCall(Sweep(tape, x, 100 * t + s, first, t));
  PetscCall(TapeGetCounts(tape, &counts));
  const PetscInt least = known ? steps[s][n] - PetscMax(0, n - 1) : StepsOfUnknown(t, s);
  CHECK(made.steps == least && counts.recomputed == least, "%d states, %d kept: %d steps and not %d", (int)n,
        (int)s, (int)made.steps, (int)least);
  PetscCall(Budget(x, s * x->n, &budget));
  budget += Beside(x);
  CHECK(counts.ram <= budget && counts.disk == 0, "%g bytes are more than %g", counts.ram, budget);
  PetscFunctionReturn(0);
}

/* As few steps as possible, within the budget; also for the last states alone, and fewer than foretold. */
static PetscErrorCode Revolve(PetscInt nstate)
{
  const PetscInt kept[] = {1, 2, 3, 7, 20}, lengths[] = {0, 1, 2, 3, 4, 8, 21, 36, 55, most_states};
  PetscLogDouble bytes;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(MakeTape(TAPEREVOLVE, 1, nstate, &tape, &x));
  for (int k = 0; k < 5; k++) {
    PetscCall(Budget(x, kept[k] * nstate, &bytes));
    PetscCall(TapeSetMaxRAM(tape, bytes + 1));
    PetscCall(TapeSetUp(tape, x));
    for (int l = k ? 0 : 3; l < (k ? 10 : 7); l++) {
      PetscCall(RevolveOnce(tape, x, 0, lengths[l], kept[k], PETSC_TRUE));
      PetscCall(RevolveOnce(tape, x, 0, lengths[l], kept[k], PETSC_FALSE));
      PetscCall(RevolveOnce(tape, x, lengths[l] / 3, lengths[l], kept[k], PETSC_TRUE));
    }
    PetscCall(TapeRewind(tape));
    PetscCall(TapeExpect(tape, 0, 30));
    CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapeExpect(tape, 4, 3));
    PetscCall(Push(tape, x, 7, 13));
    PetscCall(Sweep(tape, x, 7, 0, 13));
  }
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ disk */

/* A folder of this communicator's own. */
static PetscErrorCode MakeFolder(char dir[PETSC_MAX_PATH_LEN])
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCall(PetscStrncpy(dir, "/tmp/t41-tape-XXXXXX", PETSC_MAX_PATH_LEN));
  if (rank == 0 && !mkdtemp(dir)) dir[0] = 0;
  PetscCallMPI(MPI_Bcast(dir, PETSC_MAX_PATH_LEN, MPI_CHAR, 0, TEST_COMM));
  CHECK(dir[0], "no folder in /tmp");
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckEmpty(const char dir[])
{
  DIR *const d = opendir(dir);
  int files = 0;

  PetscFunctionBegin;
  CHECK(d, "no folder %s", dir);
  for (const struct dirent *e = readdir(d); e; e = readdir(d)) files += e->d_name[0] != '.';
  closedir(d);
  CHECK(files == 0, "%d files in %s", files, dir);
  PetscFunctionReturn(0);
}

/* Bytes of an iterate in a file and in its buffer. */
static PetscLogDouble PieceOnDisk(PetscInt nlocal)
{
  const PetscLogDouble page = (PetscLogDouble)sysconf(_SC_PAGESIZE),
                       bytes = (PetscLogDouble)nlocal * Number();

  return direct ? ceil(bytes / page) * page : bytes;
}

/* A budget of n iterates; where whole pages are taken, of n that are all of one size. */
static PetscErrorCode DiskBudget(State x, PetscInt n, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  PetscCall(Budget(x, 1, bytes));
  *bytes = (PetscLogDouble)n * PieceOnDisk((PetscInt)(*bytes / Number()));
  PetscFunctionReturn(0);
}

static PetscErrorCode DiskOnce(Tape tape, State x, PetscInt t, PetscInt most)
{
  const PetscInt pieces = t ? t + x->n - 1 : 0;
  TapeCounts counts;
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(TapeRewind(tape));
  PetscCall(Push(tape, x, 100 * t + most, t));
  PetscCall(Sweep(tape, x, 100 * t + most, 0, t));
  PetscCall(TapeGetCounts(tape, &counts));
  PetscCall(VecGetLocalSize(x->v[0], &nlocal));
  CHECK(counts.stored == t && counts.recomputed == 0, "%d states stored of %d", (int)counts.stored, (int)t);
  const PetscLogDouble one = PieceOnDisk(nlocal);
  CHECK(counts.ram <= (PetscLogDouble)most * one + Beside(x), "%d buffers: %g bytes", (int)most, counts.ram);
  CHECK(counts.disk >= (PetscLogDouble)(pieces - most) * one &&
            counts.disk <= (PetscLogDouble)PetscMax(0, pieces - 1) * one,
        "%d pieces, %d buffers: %g bytes on disk", (int)pieces, (int)most, counts.disk);
  PetscFunctionReturn(0);
}

/* All budgets from the least one on; recordings that are given up half way back; no file is to be seen. */
static PetscErrorCode Disk(PetscInt nstate, const char dir[])
{
  const PetscInt lengths[] = {0, 1, 2, 5, 6, 40};
  PetscLogDouble bytes;
  State x, lent;
  Tape tape;

  PetscFunctionBegin;
  PetscCall(MakeTape(TAPEDISK, 1, nstate, &tape, &x));
  PetscCall(TapeSetDirectory(tape, dir));
  for (PetscInt most = nstate + 1; most <= nstate + 9; most += 4) {
    PetscCall(DiskBudget(x, most, &bytes));
    PetscCall(TapeSetMaxRAM(tape, bytes));
    PetscCall(TapeSetUp(tape, x));
    for (int l = 0; l < 6; l++) PetscCall(DiskOnce(tape, x, lengths[l], most));
    PetscCall(TapeRewind(tape));
    PetscCall(Push(tape, x, 1, 30));
    PetscCall(ExpectState(tape, x, 1, 29));
    PetscCall(ExpectState(tape, x, 1, 20)); /* some are passed over */
    CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapeGetState(tape, 21, &lent));
    CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, TapePush(tape, x));
  }
  PetscCall(CheckEmpty(dir));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* Pushes until that is refused, by all ranks at once. */
static PetscErrorCode PushUntilFull(Tape tape, State x, PetscInt *pushed)
{
  PetscErrorCode code = 0;
  PetscInt range[2];

  PetscFunctionBegin;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  for (*pushed = 0; !code && *pushed < 100; (*pushed)++) code = TapePush(tape, x);
  PetscCall(PetscPopErrorHandler());
  CHECK(code == PETSC_ERR_FILE_WRITE, "code %d after %d states", (int)code, (int)*pushed);
  range[0] = *pushed;
  range[1] = -*pushed;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, range, 2, MPIU_INT, MPI_MIN, TEST_COMM));
  CHECK(range[0] == -range[1], "refused after %d to %d states", (int)range[0], -(int)range[1]);
  PetscFunctionReturn(0);
}

/* One rank may write no more than five pieces: all stop, and go on once there is room again. */
static PetscErrorCode FullDisk(const char dir[])
{
  struct rlimit old, less;
  PetscMPIInt rank, ranks;
  PetscLogDouble bytes;
  PetscInt pushed = 0, nlocal;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &ranks));
  PetscCall(MakeTape(TAPEDISK, 1, 1, &tape, &x));
  PetscCall(TapeSetDirectory(tape, dir));
  PetscCall(DiskBudget(x, 3, &bytes));
  PetscCall(TapeSetMaxRAM(tape, bytes));
  PetscCall(TapeSetUp(tape, x));
  PetscCall(VecGetLocalSize(x->v[0], &nlocal));
  CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0, "no limit to read");
  less = old;
  less.rlim_cur = (rlim_t)(5 * PieceOnDisk(nlocal));
  const int set = rank == PetscMin(1, ranks - 1) ? setrlimit(RLIMIT_FSIZE, &less) : 0;
  CHECK(set == 0, "no limit to set");
  PetscCall(PushUntilFull(tape, x, &pushed));
  CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0, "the limit stays");
  CHECK(pushed > 5, "refused after %d states", (int)pushed);
  PetscCall(DiskOnce(tape, x, 12, 3));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* This process' descriptor of the file, by the kernel's list of them; -1 where there is no such list. */
static int FindFile(const char dir[])
{
  DIR *const d = opendir("/proc/self/fd");
  char path[PETSC_MAX_PATH_LEN], name[64];
  int found = -1;

  if (!d) return -1;
  for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
    snprintf(name, sizeof(name), "/proc/self/fd/%.20s", e->d_name);
    const ssize_t n = readlink(name, path, sizeof(path) - 1);
    path[PetscMax(n, 0)] = 0;
    if (n > 0 && !strncmp(path, dir, strlen(dir))) found = atoi(e->d_name);
  }
  closedir(d);
  return found;
}

/* A file that is cut short on one rank is an error of all. */
static PetscErrorCode LostFile(const char dir[])
{
  PetscMPIInt rank;
  PetscLogDouble bytes;
  PetscInt i = 29;
  State x, lent;
  Tape tape;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(TEST_COMM, &rank));
  PetscCall(MakeTape(TAPEDISK, 1, 1, &tape, &x));
  PetscCall(TapeSetDirectory(tape, dir));
  PetscCall(DiskBudget(x, 3, &bytes));
  PetscCall(TapeSetMaxRAM(tape, bytes));
  PetscCall(TapeSetUp(tape, x));
  PetscCall(Push(tape, x, 1, i + 1));
  for (; i >= 20; i--) PetscCall(ExpectState(tape, x, 1, i)); /* nothing is written any more */
  int file = FindFile(dir);
  PetscCallMPI(MPI_Bcast(&file, 1, MPI_INT, 0, TEST_COMM));
  const int cut = rank == 0 && file >= 0 ? ftruncate(file, 0) : 0;
  CHECK(cut == 0, "the file stays");
  PetscErrorCode code = 0;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  for (; !code && i >= 0; i--) {
    code = TapeGetState(tape, i, &lent);
    if (!code) code = TapeRestoreState(tape, i, &lent);
  }
  PetscCall(PetscPopErrorHandler());
  CHECK(code == (file >= 0 ? PETSC_ERR_FILE_READ : 0), "code %d at state %d", (int)code, (int)i);
  PetscCall(DiskOnce(tape, x, 12, 3));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

static PetscErrorCode NoFolder(void)
{
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(MakeTape(TAPEDISK, 1, 1, &tape, &x));
  PetscCall(TapeSetDirectory(tape, "/no/such/folder"));
  CHECK_RAISES(PETSC_ERR_FILE_OPEN, TapeSetUp(tape, x));
  PetscCall(TapeSetDirectory(tape, ""));
  PetscCall(TapeSetUp(tape, x));
  PetscCall(DiskOnce(tape, x, 3, 9));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

static PetscErrorCode Disks(void)
{
  char dir[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(MakeFolder(dir));
  PetscCall(Disk(1, dir));
  PetscCall(Disk(2, dir));
  PetscCall(Disk(STATE_MAX, dir));
  PetscCall(FullDisk(dir));
  PetscCall(LostFile(dir));
  PetscCall(NoFolder());
  PetscCallMPI(MPI_Barrier(TEST_COMM));
  rmdir(dir); /* by the first rank that comes */
  PetscFunctionReturn(0);
}

/* Past the cache, where the file system of /tmp can do that; where not, it is refused on all ranks. */
static PetscErrorCode DirectDisks(void)
{
  PetscErrorCode code;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(MakeTape(TAPEDISK, 1, 1, &tape, &x));
  PetscCall(TapeSetDirectory(tape, "/tmp"));
  PetscCall(TapeSetDirect(tape, PETSC_TRUE));
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  code = TapeSetUp(tape, x);
  PetscCall(PetscPopErrorHandler());
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  CHECK(code == 0 || code == PETSC_ERR_SUP, "code %d", (int)code);
  direct = (PetscBool)(code == 0);
  for (int pass = 0; direct && pass < 2; pass++) {
    single = (PetscBool)(pass == 1);
    PetscCall(Disks());
  }
  direct = single = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* What a tape with a budget refuses. */
static PetscErrorCode Refusals(TapeType type, PetscInt least)
{
  PetscLogDouble bytes;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(MakeTape(type, 1, 2, &tape, &x));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapeSetMaxRAM(tape, 0));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapeSetMaxRAM(tape, -1));
  PetscCall(Budget(x, least, &bytes));
  PetscCall(TapeSetMaxRAM(tape, bytes - 1));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapeSetUp(tape, x));
  PetscCall(TapeSetMaxRAM(tape, bytes));
  PetscCall(TapeSetUp(tape, x));
  PetscCall(TapeExpect(tape, 0, 3));
  PetscCall(Push(tape, x, 1, 3));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, TapePush(tape, x));
  PetscCall(Sweep(tape, x, 1, 0, 3));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* Without a step to make, states that were not kept are refused. */
static PetscErrorCode NoStep(void)
{
  PetscLogDouble bytes;
  State x, lent;
  Tape tape;

  PetscFunctionBegin;
  PetscCall(MakeTape(TAPEREVOLVE, 1, 1, &tape, &x));
  PetscCall(TapeSetAdvance(tape, NULL, NULL));
  PetscCall(Budget(x, 1, &bytes));
  PetscCall(TapeSetMaxRAM(tape, bytes));
  PetscCall(TapeSetUp(tape, x));
  PetscCall(Push(tape, x, 1, 3));
  PetscCall(ExpectState(tape, x, 1, 2));
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, TapeGetState(tape, 1, &lent));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* A budget as it is written: what it holds of 5 numbers on one rank, 40 bytes, is seen by what is refused. */
static PetscErrorCode Sizes(void)
{
  static const struct {
    const char *text;
    PetscErrorCode code;
  } cases[] = {{"40", 0},
               {"39.5", PETSC_ERR_ARG_OUTOFRANGE},
               {"40B", 0},
               {"0.04kB", 0},
               {"0.04KB", 0},
               {"4e-5mb", 0},
               {"4e-8GB", 0},
               {"3.9e-11TB", PETSC_ERR_ARG_OUTOFRANGE},
               {"4.1e-11TB", 0},
               {"3XB", PETSC_ERR_USER_INPUT},
               {"GB", PETSC_ERR_USER_INPUT},
               {"1GBs", PETSC_ERR_USER_INPUT},
               {"-1", PETSC_ERR_ARG_OUTOFRANGE},
               {"nan", PETSC_ERR_ARG_OUTOFRANGE}};
  PetscOptions options;
  char text[96];
  Tape tape;
  State x;
  Vec like;

  PetscFunctionBegin;
  PetscCall(VecCreateMPI(PETSC_COMM_SELF, size, size, &like));
  PetscCall(StateCreate(like, 1, &x));
  PetscCall(VecDestroy(&like));
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    PetscErrorCode code;
    PetscCall(PetscSNPrintf(text, sizeof(text), "-tape_type revolve -tape_max_ram %s", cases[k].text));
    PetscCall(OptionsUse(text, &options));
    PetscCall(TapeCreate(PETSC_COMM_SELF, &tape));
    PetscCall(PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL));
    code = TapeSetFromOptions(tape);
    if (!code) code = TapeSetUp(tape, x);
    PetscCall(PetscPopErrorHandler());
    CHECK(code == cases[k].code, "-tape_max_ram %s: code %d instead of %d", cases[k].text, (int)code,
          (int)cases[k].code);
    PetscCall(OptionsDrop(&options));
    PetscCall(TapeDestroy(&tape));
  }
  PetscCall(StateDestroy(&x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Options(void)
{
  PetscOptions options;
  PetscBool ring;
  PetscInt first;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(MakeTape(TAPEMEMORY, 4, 1, &tape, &x));
  CHECK_RAISES(PETSC_ERR_ARG_UNKNOWN_TYPE, TapeSetType(tape, "rings"));
  PetscCall(OptionsUse("-tape_type memory -a_tape_type ring -a_tape_window 2", &options));
  PetscCall(TapeSetOptionsPrefix(tape, "a_"));
  PetscCall(TapeSetFromOptions(tape));
  PetscCall(TapeSetUp(tape, x));
  PetscCall(OptionsDrop(&options));
  PetscCall(PetscObjectTypeCompare((PetscObject)tape, TAPERING, &ring));
  PetscCall(Push(tape, x, 1, 5));
  PetscCall(TapeGetRange(tape, &first, NULL));
  CHECK(ring && first == 3, "the prefixed options give another tape");
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ single precision */

/* Numbers at the ends of what a float holds, each by itself on the rank that has the last entry. */
static PetscErrorCode Extremes(TapeType type)
{
  static const struct {
    double pushed, read;
    int small;
  } cases[] = {{3.4028235e38, FLT_MAX, 0},
               {-3.40282356e38, -FLT_MAX, 0},
               {1.2e-38, 1.2e-38f, 0},
               {1.1e-38, 1.1e-38f, 1},
               {-1e-40, -1e-40f, 1},
               {6e-46, 0, 1},
               {8e-46, FLT_TRUE_MIN, 1},
               {1e-300, 0, 1},
               {0, 0, 0},
               {INFINITY, INFINITY, 0},
               {-INFINITY, -INFINITY, 0}};
  TapeCounts counts;
  State x, lent;
  Tape tape;

  PetscFunctionBegin;
  PetscCall(MakeTape(type, 1, 1, &tape, &x));
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    PetscInt start, end;
    const PetscScalar *a;
    PetscCall(TapeRewind(tape));
    PetscCall(VecSet(x->v[0], 1));
    PetscCall(VecGetOwnershipRange(x->v[0], &start, &end));
    const PetscBool mine = (PetscBool)(start < size && end == size);
    if (mine) PetscCall(VecSetValue(x->v[0], size - 1, cases[k].pushed, INSERT_VALUES));
    PetscCall(VecAssemblyBegin(x->v[0]));
    PetscCall(VecAssemblyEnd(x->v[0]));
    PetscCall(TapePush(tape, x));
    PetscCall(VecSet(x->v[0], 2));
    if (remakes) PetscCall(TapePush(tape, x)); /* the last state is not rounded */
    PetscCall(TapeGetState(tape, 0, &lent));
    PetscCall(VecGetArrayRead(lent->v[0], &a));
    const double got = mine ? (double)PetscRealPart(a[end - start - 1]) : cases[k].read;
    PetscCall(VecRestoreArrayRead(lent->v[0], &a));
    PetscCall(TapeRestoreState(tape, 0, &lent));
    PetscCall(TapeGetCounts(tape, &counts));
    CHECK(got == cases[k].read, "%s: %g comes back as %.17g", type, cases[k].pushed, got);
    CHECK(counts.small == (mine ? cases[k].small : 0), "%s: %g is counted %d times", type, cases[k].pushed,
          (int)counts.small);
  }
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* Reads backwards until that is refused; *refused is the state that was asked for then, or -1. */
static PetscErrorCode SweepUntilRefused(Tape tape, State x, PetscInt length, PetscInt *refused)
{
  PetscErrorCode code = 0;
  State lent;

  PetscFunctionBegin;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  for (*refused = length - 1; *refused >= 0; (*refused)--) {
    code = TapeGetState(tape, *refused, &lent);
    if (code) break;
    PetscCall(TapeRestoreState(tape, *refused, &lent));
  }
  PetscCall(PetscPopErrorHandler());
  CHECK(code == (*refused < 0 ? 0 : PETSC_ERR_ARG_OUTOFRANGE), "code %d at state %d", (int)code,
        (int)*refused);
  PetscCall(StateZero(x));
  PetscFunctionReturn(0);
}

/* A number beyond floats on one rank is refused on all: at the first state that is read or, of what a revolve
   keeps on the way back alone, then. The tape goes on working. */
static PetscErrorCode TooLarge(TapeType type)
{
  const PetscInt length = 12, kept = 3;
  PetscInt refused = -1, at_once = 0, later = 0, never = 0;
  PetscLogDouble bytes;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(MakeTape(type, length, 1, &tape, &x));
  PetscCall(Budget(x, kept, &bytes));
  PetscCall(TapeSetMaxRAM(tape, bytes));
  PetscCall(TapeSetUp(tape, x));
  for (too_large = 0; too_large < length; too_large++) {
    PetscCall(TapeRewind(tape));
    PetscCall(TapeExpect(tape, 0, length));
    PetscCall(Push(tape, x, 1, length));
    PetscCall(SweepUntilRefused(tape, x, length, &refused));
    if (refused == length - 1)
      at_once++;
    else if (refused >= 0)
      later++;
    else
      never++;
  }
  too_large = -10;
  if (remakes)
    CHECK(at_once == kept && later > 0 && never > 0, "%d refused at once, %d later", (int)at_once,
          (int)later);
  else
    CHECK(at_once == length, "%s: %d of %d refused at once", type, (int)at_once, (int)length);
  PetscCall(TapeRewind(tape));
  PetscCall(Push(tape, x, 2, length));
  PetscCall(Sweep(tape, x, 2, 0, length));
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* From one precision to the other and back. */
static PetscErrorCode Switch(TapeType type)
{
  const PetscBool was = single;
  Tape tape;
  State x;

  PetscFunctionBegin;
  PetscCall(MakeTape(type, 9, 2, &tape, &x));
  for (int k = 0; k < 3; k++) {
    single = (PetscBool)!single;
    PetscCall(TapeSetSingle(tape, single));
    PetscCall(TapeSetUp(tape, x));
    PetscCall(Push(tape, x, k, 9));
    PetscCall(Sweep(tape, x, k, 0, 9));
  }
  single = was;
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
  PetscFunctionReturn(0);
}

/* What is true of every type. */
static PetscErrorCode All(TapeType type)
{
  PetscFunctionBegin;
  for (PetscInt nstate = 1; nstate <= STATE_MAX; nstate++) {
    PetscCall(Recordings(type, nstate));
    PetscCall(Memory(type, nstate));
  }
  PetscCall(Lending(type));
  PetscCall(Switch(type));
  if (!single) PetscFunctionReturn(0);
  PetscCall(Extremes(type));
  PetscCall(TooLarge(type));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const char **types;
  PetscInt ntypes;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  FillSteps();
  PetscCall(TapeGetRegistered(&ntypes, &types));
  CHECK(ntypes >= 5, "%d tapes", (int)ntypes);
  for (int pass = 0; pass < 2; pass++) {
    single = (PetscBool)(pass == 1);
    for (PetscInt t = 0; t < ntypes; t++) PetscCall(All(types[t]));
    PetscCall(Poison());
    PetscCall(Ring());
    PetscCall(Revolve(1));
    PetscCall(Revolve(2));
    PetscCall(Refusals(TAPEREVOLVE, 2));
    PetscCall(Disks());
    PetscCall(Refusals(TAPEDISK, 3));
  }
  PetscCall(PetscFree(types));
  single = PETSC_FALSE;
  PetscCall(DirectDisks());
  PetscCall(NoStep());
  PetscCall(Sizes());
  PetscCall(Options());
  PetscCall(TestFinalize());
  return 0;
}
