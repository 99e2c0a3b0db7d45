/* Tapes: what comes back is bitwise what was pushed, in every type, for states of one and more vectors. */
#include "problem.h"

static const PetscInt size = 5; /* fewer numbers than ranks on the largest runs */

/* w_i of a recording, i >= -history */
static PetscErrorCode FillIterate(Vec w, PetscInt64 recording, PetscInt i)
{
  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(w, 1000 * recording + i));
  PetscFunctionReturn(0);
}

/* State i of a recording: (w_i, w_{i-1}, ...). */
static PetscErrorCode FillState(State x, PetscInt64 recording, PetscInt i)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < x->n; k++) PetscCall(FillIterate(x->v[k], recording, i - k));
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
    PetscCall(VecEqual(x->v[k], expected->v[k], &same));
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
  PetscCall(VecEqual(lent->v[1], x->v[0], &same));
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
  const PetscLogDouble expected = (PetscLogDouble)((ring ? 4 : 10) + nstate - 1) * (PetscLogDouble)nlocal *
                                  (PetscLogDouble)sizeof(PetscScalar);
  CHECK(bytes == expected, "%s: %g bytes instead of %g", type, bytes, expected);
  PetscCall(StateDestroy(&x));
  PetscCall(TapeDestroy(&tape));
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

int main(int argc, char **argv)
{
  const char **types;
  PetscInt ntypes;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(TapeGetRegistered(&ntypes, &types));
  CHECK(ntypes >= 3, "%d tapes", (int)ntypes);
  for (PetscInt t = 0; t < ntypes; t++) {
    for (PetscInt nstate = 1; nstate <= STATE_MAX; nstate++) {
      PetscCall(Recordings(types[t], nstate));
      PetscCall(Memory(types[t], nstate));
    }
    PetscCall(Lending(types[t]));
  }
  PetscCall(PetscFree(types));
  PetscCall(Poison());
  PetscCall(Ring());
  PetscCall(Options());
  PetscCall(TestFinalize());
  return 0;
}
