/* revolve: as many states as the budget holds, s of them; the others are made again on the way back.

   With s states kept, C(s + r, s) states can be read backwards such that no step is made more than r times,
   the solve's included. The least number of steps for t states is, with the least r such that
   t <= C(s + r, s),

     P(t, s) = min_m  m + P(t - m, s - 1) + P(m, s) = r t - C(s + r, r - 1),

   where m is the distance from the first state to the next one kept. It is linear in t between binomials,
   with slope r from C(s + r - 1, s) to C(s + r, s); so each m is optimal for which the slopes of P(t - m, s -
   1) and P(m, s) are r and r - 1, and m = min(C(s + r - 1, s), t - C(s + r - 2, s - 1)) is one of them. (A.
   Griewank, A. Walther, Algorithm 799: Revolve, ACM Trans. Math. Softw. 26, 2000.) The solve itself makes t -
   1 of these steps, the way back the rest.

   Where t is not known beforehand, states are kept at a distance that doubles whenever they are too many, and
   between two of them the way back is as above.

   One more state holds what steps are made in, and after the recording the last state pushed. */
#include <twofold/impl/tapeimpl.h>

typedef struct {
  PetscInt i;  /* number of the state */
  char *piece; /* its vectors, one after the other */
} Checkpoint;

typedef struct {
  Checkpoint *at;    /* by rising number; behind the first n, memory for more */
  PetscInt n, space; /* kept, and with memory */
  PetscInt most;     /* that the budget holds */
  PetscInt next;     /* to be kept, by the optimal schedule; -1: none */
  PetscInt stride;   /* of those kept, where the number of states is unknown */
  State work;
  PetscInt working; /* number of the state there; -1: none */
} Revolve;

/* Distance from the first of t > 1 states to the next one kept, with s > 1 in all. */
static PetscInt Split(PetscInt t, PetscInt s)
{
  PetscInt64 before = 1, binomial = 1, r; /* C(s + r - 1, s), C(s + r, s) */

  s = PetscMin(s, t);
  for (r = 0; binomial < t; r++) {
    before = binomial;
    binomial = binomial * (s + r + 1) / (r + 1);
  }
  return (PetscInt)PetscMin(before, t - before * s / (s + r - 1));
}

/* ------------------------------------------------------------------ checkpoints */

static PetscErrorCode Keep(Tape tape, PetscInt i, State x)
{
  Revolve *r = (Revolve *)tape->data;

  PetscFunctionBegin;
  if (r->n == r->space) {
    PetscCall(PetscRealloc((size_t)(r->space + 1) * sizeof(*r->at), &r->at));
    PetscCall(PetscMalloc((size_t)tape->nstate * tape->bytes + 1, &r->at[r->space++].piece));
    tape->counts.ram += (PetscLogDouble)tape->nstate * (PetscLogDouble)tape->bytes;
  }
  Checkpoint *const c = &r->at[r->n++];
  c->i = i;
  for (PetscInt k = 0; k < tape->nstate; k++)
    PetscCall(TapeWritePiece_Private(tape, i, x->v[k], c->piece + (size_t)k * tape->bytes));
  tape->counts.stored++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Place(Tape tape, const Checkpoint *c)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < tape->nstate; k++)
    PetscCall(TapePlacePiece_Private(tape, k, c->piece + (size_t)k * tape->bytes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Drops every other checkpoint. */
static void Thin(Revolve *r)
{
  PetscInt n = 0;

  r->stride *= 2;
  for (PetscInt k = 0; k < r->n; k++) {
    if (r->at[k].i % r->stride) continue;
    const Checkpoint swap = r->at[n];
    r->at[n++] = r->at[k];
    r->at[k] = swap;
  }
  r->n = n;
}

/* By the optimal schedule for states i, ..., t - 1, of which the last one stays where steps are made. */
static PetscBool WantsExpected(Tape tape, PetscInt i)
{
  Revolve *r = (Revolve *)tape->data;
  const PetscInt t = tape->expected.length;

  if (i == tape->expected.first) r->next = i;
  if (i != r->next || i == t - 1) return PETSC_FALSE;
  const PetscInt room = r->most - r->n;
  r->next = room > 1 ? i + Split(t - i, room) : -1;
  return PETSC_TRUE;
}

static PetscBool WantsAny(Revolve *r, PetscInt i)
{
  while (i % r->stride == 0 && r->n == r->most) Thin(r);
  return (PetscBool)(i % r->stride == 0);
}

/* ------------------------------------------------------------------ recording */

static PetscErrorCode TapeRewind_Revolve(Tape tape)
{
  Revolve *r = (Revolve *)tape->data;

  PetscFunctionBegin;
  r->n = 0;
  r->stride = 1;
  r->next = r->working = -1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapePush_Revolve(Tape tape, State x)
{
  Revolve *r = (Revolve *)tape->data;
  const PetscInt i = tape->length;
  const PetscBool expected = (PetscBool)(tape->expected.length >= 0);

  PetscFunctionBegin;
  if (expected ? WantsExpected(tape, i) : WantsAny(r, i)) {
    PetscCall(Keep(tape, i, x));
  } else if (!expected || i == tape->expected.length - 1) { /* it may be the last one */
    PetscCall(StateCopy(x, r->work));
    r->working = i;
    if (expected) tape->counts.stored++;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeGetRange_Revolve(Tape tape, PetscInt *first)
{
  PetscFunctionBegin;
  *first = PetscMin(tape->expected.first, tape->length);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the way back */

/* Makes the steps to state i. */
static PetscErrorCode AdvanceTo(Tape tape, PetscInt i)
{
  Revolve *r = (Revolve *)tape->data;

  PetscFunctionBegin;
  while (r->working < i) {
    const PetscInt from = r->working;
    r->working = -1; /* as long as it is no state */
    PetscCallBack("step of the tape", (*tape->advance)(tape->advancectx, from, r->work));
    r->working = from + 1;
    tape->counts.recomputed++;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Makes state i from the last checkpoint, below it, and keeps what the optimal schedule keeps on the way. */
static PetscErrorCode Remake(Tape tape, PetscInt i)
{
  Revolve *r = (Revolve *)tape->data;
  const Checkpoint *const from = &r->at[r->n - 1];

  PetscFunctionBegin;
  PetscCheck(tape->advance, PetscObjectComm((PetscObject)tape), PETSC_ERR_ARG_WRONGSTATE,
             "state %" PetscInt_FMT " is to be made again: TapeSetAdvance() first", i);
  PetscCall(Place(tape, from));
  PetscCall(StateCopy(tape->view, r->work));
  PetscCall(StateUnplace(tape->view));
  r->working = from->i;
  for (PetscInt base = from->i; base < i && r->n < r->most;) {
    base += Split(i + 1 - base, r->most - r->n + 1);
    PetscCall(AdvanceTo(tape, base));
    if (base < i) PetscCall(Keep(tape, base, r->work));
  }
  PetscCall(AdvanceTo(tape, i));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeGet_Revolve(Tape tape, PetscInt i, State *x)
{
  Revolve *r = (Revolve *)tape->data;

  PetscFunctionBegin;
  while (r->n && r->at[r->n - 1].i > i) r->n--;
  if (r->n && r->at[r->n - 1].i == i) {
    PetscCall(Place(tape, &r->at[r->n - 1]));
    *x = tape->view;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (r->working != i) PetscCall(Remake(tape, i));
  PetscCall(TapeCheckFit_Private(tape)); /* of what was kept on the way */
  *x = r->work;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ options, view, life cycle */

/* Of the state that steps are made in. */
static PetscLogDouble WorkBytes(Tape tape)
{
  return (PetscLogDouble)(tape->nstate * tape->nlocal) * (PetscLogDouble)sizeof(PetscScalar);
}

static PetscErrorCode TapeGetMemory_Revolve(Tape tape, PetscInt steps, PetscLogDouble *bytes)
{
  const PetscLogDouble states = (PetscLogDouble)PetscMin(steps, ((Revolve *)tape->data)->most);

  PetscFunctionBegin;
  *bytes = states * (PetscLogDouble)tape->nstate * (PetscLogDouble)tape->bytes + WorkBytes(tape);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeView_Revolve(Tape tape, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "  at most %.0f bytes in RAM", tape->max_ram));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_FALSE));
  if (tape->setup)
    PetscCall(PetscViewerASCIIPrintf(viewer, ": %" PetscInt_FMT " states", ((Revolve *)tape->data)->most));
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n"));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_TRUE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reset(Tape tape)
{
  Revolve *r = (Revolve *)tape->data;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < r->space; k++) PetscCall(PetscFree(r->at[k].piece));
  PetscCall(PetscFree(r->at));
  PetscCall(StateDestroy(&r->work));
  r->n = r->space = 0;
  tape->counts.ram = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeSetUp_Revolve(Tape tape, State like)
{
  Revolve *r = (Revolve *)tape->data;

  PetscFunctionBegin;
  PetscCall(Reset(tape));
  PetscCall(TapeBudgetHolds_Private(tape, tape->nstate, 1, &r->most));
  PetscCall(StateCreate(like->v[0], like->n, &r->work));
  tape->counts.ram = WorkBytes(tape);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TapeDestroy_Revolve(Tape tape)
{
  PetscFunctionBegin;
  PetscCall(Reset(tape));
  PetscCall(PetscFree(tape->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeCreate_Revolve(Tape tape)
{
  Revolve *r;

  PetscFunctionBegin;
  PetscCall(PetscNew(&r));
  tape->data = r;
  tape->ops->setfromoptions = TapeBudgetFromOptions_Private;
  tape->ops->setup = TapeSetUp_Revolve;
  tape->ops->rewind = TapeRewind_Revolve;
  tape->ops->push = TapePush_Revolve;
  tape->ops->get = TapeGet_Revolve;
  tape->ops->range = TapeGetRange_Revolve;
  tape->ops->memory = TapeGetMemory_Revolve;
  tape->ops->view = TapeView_Revolve;
  tape->ops->destroy = TapeDestroy_Revolve;
  PetscFunctionReturn(PETSC_SUCCESS);
}
