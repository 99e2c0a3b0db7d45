/* memory: all states; poison: the same, with NaN in what the reverse sweep has released. Ring: the last K.
   One plain array a slot, kept from one recording to the next. */
#include <twofold/impl/tapeimpl.h>

typedef struct {
  void **piece;
  PetscInt n; /* slots allocated */
} Pieces;

static PetscErrorCode Reserve(Tape tape, PetscInt n)
{
  Pieces *p = (Pieces *)tape->data;

  PetscFunctionBegin;
  if (n <= p->n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscRealloc((size_t)n * sizeof(*p->piece), &p->piece));
  for (PetscInt s = p->n; s < n; s++) PetscCall(PetscMalloc(tape->bytes + 1, &p->piece[s]));
  tape->counts.ram += (PetscLogDouble)(n - p->n) * (PetscLogDouble)tape->bytes;
  p->n = n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FreePieces(Tape tape)
{
  Pieces *p = (Pieces *)tape->data;

  PetscFunctionBegin;
  for (PetscInt s = 0; s < p->n; s++) PetscCall(PetscFree(p->piece[s]));
  PetscCall(PetscFree(p->piece));
  p->n = 0;
  tape->counts.ram = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeSetUp_Pieces(Tape tape, State like)
{
  PetscFunctionBegin;
  (void)like;
  PetscCall(FreePieces(tape));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeDestroy_Pieces(Tape tape)
{
  PetscFunctionBegin;
  PetscCall(FreePieces(tape));
  PetscCall(PetscFree(tape->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreatePieces(Tape tape)
{
  Pieces *p;

  PetscFunctionBegin;
  PetscCall(PetscNew(&p));
  tape->data = p;
  tape->ops->setup = TapeSetUp_Pieces;
  tape->ops->destroy = TapeDestroy_Pieces;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ memory */

static PetscErrorCode TapeSlot_Memory(Tape tape, PetscInt s, PetscBool write, void **piece)
{
  PetscFunctionBegin;
  if (write) PetscCall(Reserve(tape, s + 1));
  *piece = ((Pieces *)tape->data)->piece[s];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeGetMemory_Memory(Tape tape, PetscInt steps, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  *bytes = (PetscLogDouble)(steps + tape->nstate - 1) * (PetscLogDouble)tape->bytes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeCreate_Memory(Tape tape)
{
  PetscFunctionBegin;
  PetscCall(CreatePieces(tape));
  tape->ops->slot = TapeSlot_Memory;
  tape->ops->memory = TapeGetMemory_Memory;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ poison */

static PetscErrorCode TapeRelease_Poison(Tape tape, PetscInt s)
{
  PetscFunctionBegin;
  memset(((Pieces *)tape->data)->piece[s], 0xff, tape->bytes); /* that is NaN in either precision */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeCreate_Poison(Tape tape)
{
  PetscFunctionBegin;
  PetscCall(TapeCreate_Memory(tape));
  tape->ops->release = TapeRelease_Poison;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ ring */

static PetscErrorCode TapeSlot_Ring(Tape tape, PetscInt s, PetscBool write, void **piece)
{
  const PetscInt slots = tape->window + tape->nstate - 1;

  PetscFunctionBegin;
  if (write) PetscCall(Reserve(tape, PetscMin(s + 1, slots)));
  *piece = ((Pieces *)tape->data)->piece[s % slots];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeGetRange_Ring(Tape tape, PetscInt *first)
{
  PetscFunctionBegin;
  *first = PetscMax(0, tape->length - tape->window);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeGetMemory_Ring(Tape tape, PetscInt steps, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  PetscCall(TapeGetMemory_Memory(tape, PetscMin(steps, tape->window), bytes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeSetFromOptions_Ring(Tape tape, PetscOptionItems *PetscOptionsObject)
{
  PetscInt window = tape->window;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-tape_window", "States a ring keeps", "TapeSetWindow", window, &window, NULL));
  PetscCall(TapeSetWindow(tape, window));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeView_Ring(Tape tape, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "  last %" PetscInt_FMT " states\n", tape->window));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeCreate_Ring(Tape tape)
{
  PetscFunctionBegin;
  PetscCall(CreatePieces(tape));
  tape->ops->setfromoptions = TapeSetFromOptions_Ring;
  tape->ops->view = TapeView_Ring;
  tape->ops->slot = TapeSlot_Ring;
  tape->ops->range = TapeGetRange_Ring;
  tape->ops->memory = TapeGetMemory_Ring;
  PetscFunctionReturn(PETSC_SUCCESS);
}
