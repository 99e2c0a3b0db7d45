/* jacobi: P = diag(H), by the problem's BLPLossHessianDiagonal(). P must be positive: where the diagonal is
   not, as where the loss is not convex or does not depend on an entry, its absolute value stands, and 1 for
   0. */
#include <twofold/impl/blpimpl.h>
#include <twofold/impl/precondimpl.h>

static PetscErrorCode PrecondCheck_Jacobi(Precond precond)
{
  const BLP blp = precond->blp;

  PetscFunctionBegin;
  PetscCheck(
      blp->ops->losshessiandiagonal, PetscObjectComm((PetscObject)precond), PETSC_ERR_SUP,
      "-%sprecond jacobi needs the diagonal of the Hessian, which problem type %s does not give%s: use "
      "-%sprecond nystrom",
      PrecondPrefix_Private(precond), ((PetscObject)blp)->type_name,
      blp->by_callbacks ? " (BLPUserSetLossDiagonal())" : "", PrecondPrefix_Private(precond));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondBuild_Jacobi(Precond precond, Vec lambda, Vec w)
{
  Vec diagonal = (Vec)precond->data;
  PetscScalar *d;
  PetscInt n;

  PetscFunctionBegin;
  (void)lambda;
  (void)w;
  if (!diagonal) PetscCall(BLPCreateVecs(precond->blp, NULL, &diagonal));
  precond->data = diagonal;
  PetscCall(BLPLossHessianDiagonal(precond->blp, diagonal));
  precond->products++;
  PetscCall(VecGetLocalSize(diagonal, &n));
  PetscCall(VecGetArray(diagonal, &d));
  for (PetscInt i = 0; i < n; i++) d[i] = d[i] != 0 ? PetscAbsScalar(d[i]) : 1;
  PetscCall(VecRestoreArray(diagonal, &d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondApply_Jacobi(Precond precond, Vec x, Vec y)
{
  PetscFunctionBegin;
  PetscCall(VecPointwiseDivide(y, x, (Vec)precond->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondApplyRoot_Jacobi(Precond precond, Vec x, Vec y)
{
  const PetscScalar *d, *in;
  PetscScalar *out;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayRead((Vec)precond->data, &d));
  PetscCall(VecGetArrayRead(x, &in));
  PetscCall(VecGetArrayWrite(y, &out));
  for (PetscInt i = 0; i < n; i++) out[i] = in[i] / PetscSqrtReal(d[i]);
  PetscCall(VecRestoreArrayWrite(y, &out));
  PetscCall(VecRestoreArrayRead(x, &in));
  PetscCall(VecRestoreArrayRead((Vec)precond->data, &d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondGetMemory_Jacobi(Precond precond, PetscLogDouble *bytes)
{
  PetscInt n;
  Vec w;

  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(precond->blp, NULL, &w));
  PetscCall(VecGetLocalSize(w, &n));
  PetscCall(VecDestroy(&w));
  *bytes += (PetscLogDouble)n * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrecondReset_Jacobi(Precond precond)
{
  Vec diagonal = (Vec)precond->data;

  PetscFunctionBegin;
  PetscCall(VecDestroy(&diagonal));
  precond->data = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PrecondCreate_Jacobi(Precond precond)
{
  PetscFunctionBegin;
  precond->ops->check = PrecondCheck_Jacobi;
  precond->ops->build = PrecondBuild_Jacobi;
  precond->ops->apply = PrecondApply_Jacobi;
  precond->ops->applyroot = PrecondApplyRoot_Jacobi;
  precond->ops->memory = PrecondGetMemory_Jacobi;
  precond->ops->reset = PrecondReset_Jacobi;
  precond->ops->destroy = PrecondReset_Jacobi;
  PetscFunctionReturn(PETSC_SUCCESS);
}
