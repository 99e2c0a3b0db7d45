/* State: a small tuple of vectors, and flat vectors laid under it. */
#include <twofold/impl/sysimpl.h>
#include <twofold/state.h>

PetscErrorCode StateCreate(Vec like, PetscInt n, State *x)
{
  PetscFunctionBegin;
  PetscCheck(n >= 1 && n <= STATE_MAX, PetscObjectComm((PetscObject)like), PETSC_ERR_ARG_OUTOFRANGE,
             "a state has 1 to %d vectors, not %" PetscInt_FMT, STATE_MAX, n);
  PetscCall(PetscNew(x));
  (*x)->n = n;
  for (PetscInt k = 0; k < n; k++) {
    PetscCall(VecDuplicate(like, &(*x)->v[k]));
    PetscCall(VecZeroEntries((*x)->v[k]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateCreateReference(State from, PetscInt n, State *x)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(x));
  (*x)->n = n;
  for (PetscInt k = 0; k < n; k++) {
    (*x)->v[k] = from->v[PetscMin(k, from->n - 1)];
    PetscCall(PetscObjectReference((PetscObject)(*x)->v[k]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateDestroy(State *x)
{
  PetscFunctionBegin;
  if (!*x) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt k = 0; k < (*x)->n; k++) PetscCall(VecDestroy(&(*x)->v[k]));
  PetscCall(PetscFree(*x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateCopy(State x, State y)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < x->n; k++) PetscCall(VecCopy(x->v[k], y->v[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateZero(State x)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < x->n; k++) PetscCall(VecZeroEntries(x->v[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateAYPX(State y, PetscScalar a, State x)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < y->n; k++) PetscCall(VecAYPX(y->v[k], a, x->v[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateDot(State x, State y, PetscScalar *dot)
{
  PetscScalar part;

  PetscFunctionBegin;
  *dot = 0;
  for (PetscInt k = 0; k < x->n; k++) {
    PetscCall(VecDot(x->v[k], y->v[k], &part));
    *dot += part;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateNorm(State x, PetscReal *norm)
{
  PetscReal part;

  PetscFunctionBegin;
  *norm = 0;
  for (PetscInt k = 0; k < x->n; k++) {
    PetscCall(VecNorm(x->v[k], NORM_2, &part));
    *norm = PetscSqrtReal(*norm * *norm + part * part);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateCreateFlat(State like, Vec *flat)
{
  PetscInt nlocal, n;

  PetscFunctionBegin;
  if (like->n == 1) {
    PetscCall(VecDuplicate(like->v[0], flat));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecGetLocalSize(like->v[0], &nlocal));
  PetscCall(VecGetSize(like->v[0], &n));
  PetscCall(VecCreate(PetscObjectComm((PetscObject)like->v[0]), flat));
  PetscCall(VecSetSizes(*flat, like->n * nlocal, like->n * n));
  PetscCall(VecSetType(*flat, VECSTANDARD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateCreateView(State like, State *view)
{
  PetscInt nlocal, n, bs;

  PetscFunctionBegin;
  PetscCall(PetscNew(view));
  (*view)->n = like->n;
  for (PetscInt k = 0; k < like->n; k++) {
    PetscCall(VecGetLocalSize(like->v[k], &nlocal));
    PetscCall(VecGetSize(like->v[k], &n));
    PetscCall(VecGetBlockSize(like->v[k], &bs));
    PetscCall(
        VecCreateMPIWithArray(PetscObjectComm((PetscObject)like->v[k]), bs, nlocal, n, NULL, &(*view)->v[k]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StatePlace(State view, const PetscScalar pieces[])
{
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(view->v[0], &nlocal));
  for (PetscInt k = 0; k < view->n; k++) PetscCall(VecPlaceArray(view->v[k], pieces + k * nlocal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StateUnplace(State view)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < view->n; k++) PetscCall(VecResetArray(view->v[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}
