/* Bounds of lambda, and random directions that stay within them. */
#include <twofold/impl/blpimpl.h>

static PetscErrorCode CheckLayout(BLP blp, Vec lambda, Vec bound, const char name[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  PetscInt n[2], here[2], wrong;

  PetscFunctionBegin;
  PetscCall(VecGetSize(lambda, &n[0]));
  PetscCall(VecGetSize(bound, &n[1]));
  PetscCheck(n[0] == n[1], comm, PETSC_ERR_ARG_SIZ,
             "BLPSetBounds(): the %s bound has %" PetscInt_FMT " entries, lambda %" PetscInt_FMT, name, n[1],
             n[0]);
  PetscCall(VecGetLocalSize(lambda, &here[0]));
  PetscCall(VecGetLocalSize(bound, &here[1]));
  wrong = here[0] != here[1];
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &wrong, 1, MPIU_INT, MPI_SUM, comm));
  PetscCheck(!wrong, comm, PETSC_ERR_ARG_SIZ,
             "BLPSetBounds(): the %s bound is not distributed as lambda is: make it by BLPCreateVecs()",
             name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Number of entries whose lower bound is not at most the upper one, NaN among them. */
static PetscErrorCode CheckOrder(BLP blp)
{
  const PetscScalar *lower, *upper;
  PetscInt n, crossed = 0;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(blp->bounds[0], &n));
  PetscCall(VecGetArrayRead(blp->bounds[0], &lower));
  PetscCall(VecGetArrayRead(blp->bounds[1], &upper));
  for (PetscInt i = 0; i < n; i++) crossed += !(lower[i] <= upper[i]);
  PetscCall(VecRestoreArrayRead(blp->bounds[1], &upper));
  PetscCall(VecRestoreArrayRead(blp->bounds[0], &lower));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &crossed, 1, MPIU_INT, MPI_SUM, PetscObjectComm((PetscObject)blp)));
  PetscCheck(!crossed, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_INCOMP,
             "BLPSetBounds(): in %" PetscInt_FMT " entries the lower bound is not below the upper one",
             crossed);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCheckBounds_Private(BLP blp)
{
  Vec lambda;

  PetscFunctionBegin;
  if (!blp->bounds[0] && !blp->bounds[1]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPTieCreateVec_Private(blp, &lambda));
  if (blp->bounds[0]) PetscCall(CheckLayout(blp, lambda, blp->bounds[0], "lower"));
  if (blp->bounds[1]) PetscCall(CheckLayout(blp, lambda, blp->bounds[1], "upper"));
  PetscCall(VecDestroy(&lambda));
  if (blp->bounds[0] && blp->bounds[1]) PetscCall(CheckOrder(blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where lambda must be positive and nobody said how positive: far below any weight of use, and above 0, where
   the problem ends. Not with a map of lambda: the sign of theta says nothing then. */
PetscErrorCode BLPSetUpBounds_Private(BLP blp)
{
  const PetscReal least = 1e-6;
  Vec lower;

  PetscFunctionBegin;
  if (blp->own_lower)
    PetscCall(BLPKeepPair_Private(blp->bounds, NULL, blp->bounds[1])); /* of another layout */
  blp->own_lower = (PetscBool)(blp->positive && !blp->bounds[0] && !blp->tie.given);
  if (blp->own_lower) {
    PetscCall(BLPTieCreateVec_Private(blp, &lower));
    PetscCall(VecSet(lower, least));
    PetscCall(BLPKeepPair_Private(blp->bounds, lower, blp->bounds[1]));
    PetscCall(VecDestroy(&lower));
  }
  PetscCall(BLPCheckBounds_Private(blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSetBounds(BLP blp, Vec lower, Vec upper)
{
  PetscFunctionBegin;
  PetscCall(BLPKeepPair_Private(blp->bounds, lower, upper));
  blp->own_lower = PETSC_FALSE;
  if (blp->setup) PetscCall(BLPSetUpBounds_Private(blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetBounds(BLP blp, Vec *lower, Vec *upper)
{
  PetscFunctionBegin;
  if (lower) *lower = blp->bounds[0];
  if (upper) *upper = blp->bounds[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ directions */

/* Keeps x + h d, h <= 0.1, within the bounds: an entry turns around where the other side has more room. */
static inline PetscScalar Bounded(PetscScalar x, PetscScalar d, PetscReal lower, PetscReal upper)
{
  const PetscReal up = upper - x, down = x - lower, wanted = PetscAbsReal(d);
  PetscReal room = d > 0 ? up : down;

  if (wanted > 5 * room && (d > 0 ? down : up) > room) {
    d = -d;
    room = d > 0 ? up : down;
  }
  const PetscReal length = PetscMax(0, PetscMin(wanted, 5 * room));
  return d > 0 ? length : -length;
}

PetscErrorCode BLPSetDirection_Private(Vec x, const Vec bounds[2], PetscInt64 seed, Vec d)
{
  const PetscScalar *a, *lower = NULL, *upper = NULL;
  PetscScalar *b;
  PetscReal scale;
  PetscInt n, all;

  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(d, seed));
  PetscCall(VecNorm(x, NORM_2, &scale));
  PetscCall(VecGetSize(x, &all));
  PetscCall(VecGetLocalSize(x, &n));
  scale = scale > 0 && !PetscIsInfOrNanReal(scale) ? scale / PetscSqrtReal((PetscReal)all) : 1;
  if (bounds && bounds[0]) PetscCall(VecGetArrayRead(bounds[0], &lower));
  if (bounds && bounds[1]) PetscCall(VecGetArrayRead(bounds[1], &upper));
  PetscCall(VecGetArrayRead(x, &a));
  PetscCall(VecGetArray(d, &b));
  for (PetscInt i = 0; i < n; i++) {
    b[i] *= a[i] != 0 ? PetscAbsReal(a[i]) : scale;
    b[i] = Bounded(a[i], b[i], lower ? lower[i] : -INFINITY, upper ? upper[i] : INFINITY);
  }
  PetscCall(VecRestoreArray(d, &b));
  PetscCall(VecRestoreArrayRead(x, &a));
  if (upper) PetscCall(VecRestoreArrayRead(bounds[1], &upper));
  if (lower) PetscCall(VecRestoreArrayRead(bounds[0], &lower));
  PetscFunctionReturn(PETSC_SUCCESS);
}
