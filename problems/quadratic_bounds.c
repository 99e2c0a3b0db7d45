/* Constants of quadratic: see the head of quadratic.c. */
#include "quadratic.h"

static TwofoldConstant Proved(PetscReal value, const char origin[])
{
  return (TwofoldConstant){.value = value, .standing = TWOFOLD_PROVED, .origin = origin};
}

PetscErrorCode BLPStrongConvexity_Quadratic(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  const Quadratic *qd = (Quadratic *)blp->data;
  PetscReal value;

  PetscFunctionBegin;
  PetscCall(QuadraticGetDiagonal_Private(qd, lambda, qd->diagonal));
  PetscCall(VecMin(qd->diagonal, NULL, &value));
  *mu = Proved(value, "min (a + gamma exp(lambda))");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothness_Quadratic(BLP blp, Vec lambda, TwofoldConstant *L)
{
  const Quadratic *qd = (Quadratic *)blp->data;
  PetscReal value;

  PetscFunctionBegin;
  PetscCall(QuadraticGetDiagonal_Private(qd, lambda, qd->diagonal));
  PetscCall(VecMax(qd->diagonal, NULL, &value));
  *L = Proved(value, "max (a + gamma exp(lambda))");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g = gamma exp(lambda_j) e_j for the least j of those whose entries of J(lambda) have this value. */
static PetscErrorCode ExtremeGradient(BLP blp, Vec lambda, PetscReal value, Vec g)
{
  const Quadratic *qd = (Quadratic *)blp->data;
  PetscInt first, n, least = PETSC_MAX_INT;
  const PetscScalar *d, *l;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(qd->diagonal, &first, NULL));
  PetscCall(VecGetLocalSize(qd->diagonal, &n));
  PetscCall(VecGetArrayRead(qd->diagonal, &d));
  for (PetscInt i = 0; i < n; i++)
    if (d[i] == value) least = PetscMin(least, (first + i) % qd->m);
  PetscCall(VecRestoreArrayRead(qd->diagonal, &d));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &least, 1, MPIU_INT, MPI_MIN, PetscObjectComm((PetscObject)blp)));
  PetscCall(VecGetOwnershipRange(lambda, &first, NULL));
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(VecZeroEntries(g));
  PetscCall(VecGetArrayRead(lambda, &l));
  if (least >= first && least < first + n)
    PetscCall(VecSetValue(g, least, qd->gamma * PetscExpReal(l[least - first]), INSERT_VALUES));
  PetscCall(VecRestoreArrayRead(lambda, &l));
  PetscCall(VecAssemblyBegin(g));
  PetscCall(VecAssemblyEnd(g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPStrongConvexityGradient_Quadratic(BLP blp, Vec lambda, Vec g)
{
  TwofoldConstant mu = {0};

  PetscFunctionBegin;
  PetscCall(BLPStrongConvexity_Quadratic(blp, lambda, &mu));
  PetscCall(ExtremeGradient(blp, lambda, mu.value, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothnessGradient_Quadratic(BLP blp, Vec lambda, Vec g)
{
  TwofoldConstant L = {0};

  PetscFunctionBegin;
  PetscCall(BLPSmoothness_Quadratic(blp, lambda, &L));
  PetscCall(ExtremeGradient(blp, lambda, L.value, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPContraction_Quadratic(BLP blp, Vec lambda, TwofoldConstant *q)
{
  (void)lambda;
  *q = Proved(1 - ((Quadratic *)blp->data)->mu, "1 - mu");
  return PETSC_SUCCESS;
}

/* Largest over the columns that have entries of ||factor_j|| + radius gamma exp(lambda_j), and of the latter
   at radius 1. */
static PetscErrorCode CrossNorm(BLP blp, Vec lambda, Vec w, PetscReal radius, PetscReal norm[2])
{
  const Quadratic *qd = (Quadratic *)blp->data;
  const PetscScalar *l, *squares;
  PetscInt first, n;

  PetscFunctionBegin;
  norm[0] = norm[1] = 0;
  PetscCall(QuadraticReflect_Private(qd, w, qd->x));
  PetscCall(QuadraticGetFactor_Private(qd, lambda, qd->x, qd->factor));
  PetscCall(VecCopy(qd->factor, qd->y));
  PetscCall(QuadraticCollect_Private(qd, qd->factor, qd->y, qd->gap));
  PetscCall(VecGetOwnershipRange(lambda, &first, NULL));
  PetscCall(VecGetLocalSize(lambda, &n));
  PetscCall(VecGetArrayRead(qd->gap, &squares));
  PetscCall(VecGetArrayRead(lambda, &l));
  for (PetscInt j = 0; j < n && first + j < qd->n; j++) {
    const PetscReal growth = qd->gamma * PetscExpReal(l[j]);
    norm[0] = PetscMax(norm[0], PetscSqrtReal(squares[j]) + (growth > 0 ? radius * growth : 0));
    norm[1] = PetscMax(norm[1], growth);
  }
  PetscCall(VecRestoreArrayRead(lambda, &l));
  PetscCall(VecRestoreArrayRead(qd->gap, &squares));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, norm, 2, MPIU_REAL, MPI_MAX, PetscObjectComm((PetscObject)blp)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The same for loss and map: Phi = w - r. */
PetscErrorCode BLPLipschitz_Quadratic(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  const Quadratic *qd = (Quadratic *)blp->data;
  PetscReal norm[2] = {0, 0};

  PetscFunctionBegin;
  PetscCall(CrossNorm(blp, lambda, w, radius, norm));
  c->eta1 = Proved(qd->eta1, "||D||");
  c->eta2 = Proved(qd->eta2, "eta2 ||S||");
  c->nu1 = Proved(0, "0: quadratic in w");
  c->nu2 = Proved(norm[1], "gamma max exp(lambda)");
  c->L_Phi = Proved(norm[0], "max_j ||column j of d/dlambda grad_w l||");
  PetscFunctionReturn(PETSC_SUCCESS);
}
