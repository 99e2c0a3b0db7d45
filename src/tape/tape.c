/* Tape: the iterates of a lower-level solve, for the reverse sweep. Interface and dispatch. */
#include <twofold/impl/tapeimpl.h>

PetscClassId TAPE_CLASSID;
static PetscFunctionList TapeList = NULL;

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode TapeRegisterAll(void)
{
  PetscFunctionBegin;
  if (TapeList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Tape", &TAPE_CLASSID));
  PetscCall(TwofoldListAdd(&TapeList, TAPEMEMORY, (TwofoldConstructor)TapeCreate_Memory));
  PetscCall(TwofoldListAdd(&TapeList, TAPERING, (TwofoldConstructor)TapeCreate_Ring));
  PetscCall(TwofoldListAdd(&TapeList, TAPEREVOLVE, (TwofoldConstructor)TapeCreate_Revolve));
  PetscCall(TwofoldListAdd(&TapeList, TAPEDISK, (TwofoldConstructor)TapeCreate_Disk));
  PetscCall(TwofoldListAdd(&TapeList, TAPEPOISON, (TwofoldConstructor)TapeCreate_Poison));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeRegister(const char type[], PetscErrorCode (*create)(Tape))
{
  PetscFunctionBegin;
  PetscCall(TapeRegisterAll());
  PetscCall(TwofoldListAdd(&TapeList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeGetRegistered(PetscInt *n, const char ***types)
{
  PetscFunctionBegin;
  PetscCall(TapeRegisterAll());
  PetscCall(TwofoldListTypes(TapeList, n, types));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeCreate(MPI_Comm comm, Tape *t)
{
  Tape tape;

  PetscFunctionBegin;
  PetscCall(TapeRegisterAll());
  PetscCall(
      PetscHeaderCreate(tape, TAPE_CLASSID, "Tape", "Tape of iterates", "Tape", comm, TapeDestroy, TapeView));
  tape->window = 10;
  tape->max_ram = 2e9;
  tape->expected.length = -1;
  tape->unfit.state = -1;
  *t = tape;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeDestroy(Tape *tape)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)tape)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscTryTypeMethod(*tape, destroy);
  PetscCall(StateDestroy(&(*tape)->view));
  PetscCall(PetscFree((*tape)->wide));
  PetscCall(PetscHeaderDestroy(tape));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetOptionsPrefix(Tape tape, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)tape, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetType(Tape tape, TapeType type)
{
  PetscBool changed;

  PetscFunctionBegin;
  PetscCall(TwofoldSetType((PetscObject)tape, TapeList, "tape_type", type, (TwofoldTypeFn)tape->ops->destroy,
                           tape->ops, sizeof(struct _TapeOps), &changed));
  if (changed) tape->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetWindow(Tape tape, PetscInt window)
{
  PetscFunctionBegin;
  PetscCheck(window > 0, PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_OUTOFRANGE,
             "-tape_window %" PetscInt_FMT ": the window must be at least one state", window);
  tape->window = window;
  tape->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetMaxRAM(Tape tape, PetscLogDouble bytes)
{
  PetscFunctionBegin;
  PetscCheck(bytes > 0, PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_OUTOFRANGE,
             "-tape_max_ram %g: the budget must be positive", bytes);
  tape->max_ram = bytes;
  tape->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetSingle(Tape tape, PetscBool single)
{
  PetscFunctionBegin;
  tape->single = single;
  tape->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetDirectory(Tape tape, const char dir[])
{
  PetscFunctionBegin;
  PetscCall(PetscStrncpy(tape->dir, dir, sizeof(tape->dir)));
  tape->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetDirect(Tape tape, PetscBool direct)
{
  PetscFunctionBegin;
  tape->direct = direct;
  tape->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetAdvance(Tape tape, TapeAdvanceFn advance, void *ctx)
{
  PetscFunctionBegin;
  tape->advance = advance;
  tape->advancectx = ctx;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetFromOptions(Tape tape)
{
  PetscBool single = tape->single;
  char type[64];

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)tape);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-tape_type", "Where iterates are kept", "TapeSetType",
                               TapeList, TAPEMEMORY, type, sizeof(type)));
  PetscCall(TapeSetType(tape, type));
  PetscCall(PetscOptionsBool("-tape_single", "Keep iterates in single precision", "TapeSetSingle", single,
                             &single, NULL));
  if (single != tape->single) PetscCall(TapeSetSingle(tape, single));
  PetscTryTypeMethod(tape, setfromoptions, PetscOptionsObject);
  PetscCall(PetscOptionsViewer("-tape_view", "Print the tape after each reverse sweep", "TapeView", NULL,
                               NULL, NULL));
  PetscOptionsEnd();
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TakeBack(Tape tape)
{
  PetscFunctionBegin;
  if (tape->lent && tape->lent == tape->view) PetscCall(StateUnplace(tape->view));
  tape->lent = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeSetUp(Tape tape, State like)
{
  PetscFunctionBegin;
  if (tape->setup) PetscFunctionReturn(PETSC_SUCCESS);
  if (!((PetscObject)tape)->type_name) PetscCall(TapeSetType(tape, TAPEMEMORY));
  tape->nstate = like->n;
  PetscCall(VecGetLocalSize(like->v[0], &tape->nlocal));
  PetscCallMPI(MPI_Allreduce(&tape->nlocal, &tape->maxlocal, 1, MPIU_INT, MPI_MAX,
                             PetscObjectComm((PetscObject)tape)));
  PetscCall(TakeBack(tape));
  PetscCall(StateDestroy(&tape->view));
  PetscCall(StateCreateView(like, &tape->view));
  PetscCall(TapeLayOut_Private(tape));
  PetscTryTypeMethod(tape, setup, like);
  PetscCall(TapeRewind(tape));
  tape->setup = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the recording took, bytes on the rank with most. */
static PetscErrorCode ViewCounts(Tape tape, PetscViewer viewer)
{
  TapeCounts counts;

  PetscFunctionBegin;
  PetscCall(TapeGetCounts(tape, &counts));
  PetscLogDouble bytes[2] = {counts.ram, counts.disk};
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, bytes, 2, MPI_DOUBLE, MPI_MAX, PetscObjectComm((PetscObject)tape)));
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "  %" PetscInt_FMT " states, %" PetscInt64_FMT " stored, %" PetscInt64_FMT
                                   " steps made again\n",
                                   tape->length, counts.stored, counts.recomputed));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  %.0f bytes in RAM, %.0f on disk, on the rank with most\n",
                                   bytes[0], bytes[1]));
  if (!tape->wide) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, &counts.small, 1, MPIU_INT64, MPI_SUM, PetscObjectComm((PetscObject)tape)));
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "  %" PetscInt64_FMT " numbers below 1.2e-38 have lost more than the others\n", counts.small));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeView(Tape tape, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)tape, &viewer, &ascii));
  if (!ascii) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscViewerASCIIPrintf(viewer, "  in %s precision\n", tape->single ? "single" : "double"));
  PetscTryTypeMethod(tape, view, viewer);
  if (tape->length) PetscCall(ViewCounts(tape, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeRewind(Tape tape)
{
  PetscFunctionBegin;
  PetscCall(TakeBack(tape)); /* a sweep that ended in an error */
  tape->length = 0;
  tape->expected.first = 0;
  tape->expected.length = -1;
  tape->counts.stored = tape->counts.recomputed = tape->counts.small = 0;
  tape->unfit.state = -1;
  tape->unchecked = PETSC_FALSE;
  PetscTryTypeMethod(tape, rewind);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeExpect(Tape tape, PetscInt first, PetscInt length)
{
  PetscFunctionBegin;
  PetscCheck(first >= 0 && first <= length, PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_OUTOFRANGE,
             "the first of %" PetscInt_FMT " states to be read cannot be %" PetscInt_FMT, length, first);
  PetscCheck(tape->length == 0, PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_WRONGSTATE,
             "TapeRewind() first");
  tape->expected.first = first;
  tape->expected.length = length;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PushPiece(Tape tape, PetscInt s, Vec w)
{
  void *piece;

  PetscFunctionBegin;
  PetscUseTypeMethod(tape, slot, s, PETSC_TRUE, &piece);
  PetscCall(TapeWritePiece_Private(tape, tape->length, w, piece));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapePushPieces_Private(Tape tape, State x)
{
  const PetscInt history = tape->nstate - 1;

  PetscFunctionBegin;
  if (tape->length == 0)
    for (PetscInt k = history; k > 0; k--) PetscCall(PushPiece(tape, history - k, x->v[k]));
  PetscCall(PushPiece(tape, history + tape->length, x->v[0]));
  tape->counts.stored++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapePush(Tape tape, State x)
{
  PetscFunctionBegin;
  PetscCheck(tape->expected.length < 0 || tape->length < tape->expected.length,
             PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_OUTOFRANGE,
             "TapeExpect() said %" PetscInt_FMT " states, and here is one more", tape->expected.length);
  PetscCall(PetscLogEventBegin(TWOFOLD_TapePush, tape, 0, 0, 0));
  if (tape->ops->push)
    PetscUseTypeMethod(tape, push, x);
  else
    PetscCall(TapePushPieces_Private(tape, x));
  tape->length++;
  PetscCall(PetscLogEventEnd(TWOFOLD_TapePush, tape, 0, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeGetRange(Tape tape, PetscInt *first, PetscInt *length)
{
  PetscFunctionBegin;
  if (first) {
    *first = 0;
    PetscTryTypeMethod(tape, range, first);
  }
  if (length) *length = tape->length;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeGetPieces_Private(Tape tape, PetscInt i, State *x)
{
  void *piece;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < tape->nstate; k++) {
    PetscUseTypeMethod(tape, slot, i + tape->nstate - 1 - k, PETSC_FALSE, &piece);
    PetscCall(TapePlacePiece_Private(tape, k, piece));
  }
  *x = tape->view;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeGetState(Tape tape, PetscInt i, State *x)
{
  PetscInt first;

  PetscFunctionBegin;
  PetscCall(TapeGetRange(tape, &first, NULL));
  PetscCheck(i >= first && i < tape->length, PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_OUTOFRANGE,
             "state %" PetscInt_FMT " is not on the tape, which holds %" PetscInt_FMT " to %" PetscInt_FMT, i,
             first, tape->length - 1);
  PetscCheck(!tape->lent, PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_WRONGSTATE,
             "TapeRestoreState() the last state first");
  PetscCall(TapeCheckFit_Private(tape));
  PetscCall(PetscLogEventBegin(TWOFOLD_TapePop, tape, 0, 0, 0));
  if (tape->ops->get)
    PetscUseTypeMethod(tape, get, i, x);
  else
    PetscCall(TapeGetPieces_Private(tape, i, x));
  PetscCall(PetscLogEventEnd(TWOFOLD_TapePop, tape, 0, 0, 0));
  tape->lent = *x;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeRestoreState(Tape tape, PetscInt i, State *x)
{
  PetscFunctionBegin;
  PetscCall(TakeBack(tape));
  /* w_i is read no more; the older pieces belong to states still to come */
  PetscTryTypeMethod(tape, release, i + tape->nstate - 1);
  *x = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeGetCounts(Tape tape, TapeCounts *counts)
{
  PetscFunctionBegin;
  *counts = tape->counts;
  counts->ram += TapeWideBytes_Private(tape);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeGetMemory(Tape tape, PetscInt steps, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  *bytes = 0;
  PetscTryTypeMethod(tape, memory, steps, bytes);
  *bytes += TapeWideBytes_Private(tape);
  PetscFunctionReturn(PETSC_SUCCESS);
}
