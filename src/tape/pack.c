/* The numbers of a piece as a tape keeps them: as they are or, in single precision, rounded to 24 bits, and
   read back as doubles.

   Rounding changes a number by at most 2^-24 of it. One of at least 2^128 (3.4e38) has no such number near
   it: that is an error, of all ranks, when the first state is read. Below 2^-126 (1.2e-38) the change is at
   most 2^-150 (7e-46), which may be all of it: such numbers are counted. NaN and infinity stay what they are.
 */
#include <float.h>
#include <twofold/impl/tapeimpl.h>

#define TOO_LARGE ((PetscReal)FLT_MAX * (1 + (PetscReal)FLT_EPSILON / 4)) /* rounded up from here on */

PetscErrorCode TapeLayOut_Private(Tape tape)
{
  const PetscInt numbers = tape->nstate * tape->nlocal;

  PetscFunctionBegin;
  const size_t one = tape->single ? sizeof(float) : sizeof(PetscScalar);
  tape->bytes = (size_t)tape->nlocal * one;
  tape->maxbytes = (size_t)PetscMax(tape->maxlocal, 1) * one;
  PetscCall(PetscFree(tape->wide));
  if (tape->single) PetscCall(PetscMalloc1(numbers + 1, &tape->wide));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscLogDouble TapeWideBytes_Private(Tape tape)
{
  return tape->wide ? (PetscLogDouble)(tape->nstate * tape->nlocal) * (PetscLogDouble)sizeof(PetscScalar) : 0;
}

static PetscBool TooLarge(PetscReal x)
{
  return (PetscBool)(PetscAbsReal(x) >= TOO_LARGE && PetscAbsReal(x) <= PETSC_MAX_REAL);
}

/* Rounds n numbers; gives the largest finite size, and of those below 2^-126 the sum: 0 where there is none.
 */
static void Narrow(PetscInt n, const PetscScalar a[], float piece[], PetscReal *largest, PetscReal *below)
{
  PetscReal most = 0, sum = 0;

#pragma omp simd reduction(max : most) reduction(+ : sum)
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal size = PetscAbsReal(PetscRealPart(a[i]));
    const PetscReal finite = size <= PETSC_MAX_REAL ? size : 0, small = size < (PetscReal)FLT_MIN ? size : 0;
    piece[i] = (float)PetscRealPart(a[i]);
    most = finite > most ? finite : most;
    sum += small;
  }
  *largest = most;
  *below = sum;
}

static PetscInt CountSmall(PetscInt n, const PetscScalar a[])
{
  PetscInt small = 0;

  for (PetscInt i = 0; i < n; i++) {
    const PetscReal size = PetscAbsReal(PetscRealPart(a[i]));
    if (size > 0 && size < (PetscReal)FLT_MIN) small++;
  }
  return small;
}

/* Remembers the first number that does not fit. */
static PetscErrorCode RememberLarge(Tape tape, PetscInt i, Vec w, const PetscScalar a[])
{
  PetscInt start, k = 0;

  PetscFunctionBegin;
  if (tape->unfit.state >= 0) PetscFunctionReturn(PETSC_SUCCESS);
  while (!TooLarge(PetscRealPart(a[k]))) k++;
  PetscCall(VecGetOwnershipRange(w, &start, NULL));
  tape->unfit.state = i;
  tape->unfit.entry = start + k;
  tape->unfit.value = PetscRealPart(a[k]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeWritePiece_Private(Tape tape, PetscInt i, Vec w, void *piece)
{
  const PetscScalar *a;
  PetscReal largest, below;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(w, &a));
  if (tape->wide) {
    Narrow(tape->nlocal, a, (float *)piece, &largest, &below);
    if (TooLarge(largest)) PetscCall(RememberLarge(tape, i, w, a));
    if (below > 0) tape->counts.small += CountSmall(tape->nlocal, a);
    tape->unchecked = PETSC_TRUE;
  } else {
    PetscCall(PetscArraycpy((PetscScalar *)piece, a, tape->nlocal));
  }
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapePlacePiece_Private(Tape tape, PetscInt k, void *piece)
{
  PetscScalar *a = (PetscScalar *)piece;

  PetscFunctionBegin;
  if (tape->wide) {
    a = tape->wide + k * tape->nlocal;
    for (PetscInt j = 0; j < tape->nlocal; j++) a[j] = ((const float *)piece)[j];
  }
  PetscCall(VecPlaceArray(tape->view->v[k], a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TapeCheckFit_Private(Tape tape)
{
  char message[256] = "";

  PetscFunctionBegin;
  if (!tape->unchecked) PetscFunctionReturn(PETSC_SUCCESS);
  tape->unchecked = PETSC_FALSE;
  const PetscBool unfit = (PetscBool)(tape->unfit.state >= 0);
  if (unfit)
    PetscCall(PetscSNPrintf(message, sizeof(message),
                            "-%stape_single: entry %" PetscInt_FMT " of w in state %" PetscInt_FMT
                            " is %g, which single precision does not hold (3.4e38): leave the option out, "
                            "or see why the lower level grows so large",
                            ((PetscObject)tape)->prefix ? ((PetscObject)tape)->prefix : "", tape->unfit.entry,
                            tape->unfit.state, (double)tape->unfit.value));
  PetscCall(TwofoldAgree(PetscObjectComm((PetscObject)tape), unfit ? PETSC_ERR_ARG_OUTOFRANGE : PETSC_SUCCESS,
                         message));
  PetscFunctionReturn(PETSC_SUCCESS);
}
