/*
  Constants of dataclean (see the head of dataclean.c). With s = sigma(lambda), s' = sigma'(lambda), delta =
  beta / (c p), N = ||X||, and r_i = P_i - y_i, at most sqrt(2) long and Lipschitz in w with ||x_i|| / 2:

    mu = delta                                        L = max s N^2 / (2 n) + delta
    nu1 = sqrt(6)/9 max s N^2 max ||x_i|| / n         eta1 = ||X'||^2 / (2 n'),   eta2 = 0

  (d/dlambda grad_w l)^T V = s' * <r, X V> / n, so that over a ball around w

    L_Phi = N max_i s'_i min(sqrt(2), ||r_i(w)|| + max ||x|| radius / 2) / n
    nu2   = N max s' max ||x_i|| / (2 n)
*/
#include "dataclean.h"
#include "linear.h"

PetscErrorCode BLPStrongConvexity_DataClean(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  PetscFunctionBegin;
  (void)lambda;
  *mu = LinearModelProved(DataCleanDecay_Private((const DataClean *)blp->data), NULL, "beta / (c p)");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPStrongConvexityGradient_DataClean(BLP blp, Vec lambda, Vec g)
{
  PetscFunctionBegin;
  (void)blp, (void)lambda;
  PetscCall(VecZeroEntries(g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma of the largest entry of lambda, and its derivative. */
static PetscErrorCode LargestWeight(Vec lambda, PetscReal *s, PetscReal *rate)
{
  PetscReal highest;

  PetscFunctionBegin;
  PetscCall(VecMax(lambda, NULL, &highest));
  const PetscReal e = PetscExpReal(-PetscAbsReal(highest));
  *s = (highest >= 0 ? 1 : e) / (1 + e);
  *rate = e / ((1 + e) * (1 + e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothness_DataClean(BLP blp, Vec lambda, TwofoldConstant *L)
{
  const DataClean *dc = (const DataClean *)blp->data;
  TwofoldConstant norm;
  PetscReal s = 0, rate = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetNorm(dc->X[BLP_TRAIN], &norm));
  PetscCall(FeatureMatGetSizes(dc->X[BLP_TRAIN], &n, NULL, NULL));
  PetscCall(LargestWeight(lambda, &s, &rate));
  if (norm.standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  *L = LinearModelProved(s * norm.value * norm.value / (2 * (PetscReal)n) + DataCleanDecay_Private(dc), &norm,
                         "max sigma(lambda) ||X||^2 / (2n) + beta / (c p); ||X|| by Lanczos, its residual "
                         "added");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothnessGradient_DataClean(BLP blp, Vec lambda, Vec g)
{
  const DataClean *dc = (const DataClean *)blp->data;
  TwofoldConstant norm;
  PetscReal s = 0, rate = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetNorm(dc->X[BLP_TRAIN], &norm));
  PetscCall(FeatureMatGetSizes(dc->X[BLP_TRAIN], &n, NULL, NULL));
  PetscCall(LargestWeight(lambda, &s, &rate));
  PetscCall(LinearModelExtremePlace(lambda, PETSC_TRUE, g));
  PetscCall(VecScale(g, rate * norm.value * norm.value / (2 * (PetscReal)n)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* max s, max s', and max_i s'_i min(sqrt(2), ||r_i(w)|| + reach). */
static PetscErrorCode Largest(DataClean *dc, Vec lambda, Vec w, PetscReal reach, PetscReal largest[3])
{
  const Vec Z = dc->Z[BLP_TRAIN];
  CrossEntropy out;
  const PetscScalar *p;

  PetscFunctionBegin;
  PetscCall(DataCleanUpdateWeights_Private(dc, lambda));
  PetscCall(DataCleanBegin_Private(dc, PETSC_FALSE, &out));
  PetscCall(CrossEntropyOutputs(dc->X[BLP_TRAIN], w, Z, &out));
  PetscCall(PetscArrayzero(largest, 3));
  PetscCall(VecGetArrayRead(Z, &p));
  for (PetscInt i = 0; i < dc->n; i++) {
    PetscReal square = 0;
    for (PetscInt k = 0; k < dc->c; k++) {
      const PetscReal r = p[i * dc->c + k] - (k == dc->label[i] ? 1 : 0);
      square += r * r;
    }
    const PetscReal length = PetscMin(PETSC_SQRT2, PetscSqrtReal(square) + reach);
    largest[0] = PetscMax(largest[0], dc->weight[i]);
    largest[1] = PetscMax(largest[1], dc->rate[i]);
    largest[2] = PetscMax(largest[2], dc->rate[i] * length);
  }
  PetscCall(VecRestoreArrayRead(Z, &p));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, largest, 3, MPIU_REAL, MPIU_MAX, PetscObjectComm((PetscObject)Z)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossLipschitz_DataClean(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  DataClean *dc = (DataClean *)blp->data;
  PetscReal largest[3] = {0, 0, 0}, row;
  TwofoldConstant train, val;
  PetscInt ntrain, nval;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetNorm(dc->X[BLP_TRAIN], &train));
  PetscCall(FeatureMatGetRowNorm(dc->X[BLP_TRAIN], &row));
  PetscCall(FeatureMatGetSizes(dc->X[BLP_TRAIN], &ntrain, NULL, NULL));
  PetscCall(FeatureMatGetNorm(dc->X[BLP_VAL], &val));
  PetscCall(FeatureMatGetSizes(dc->X[BLP_VAL], &nval, NULL, NULL));
  PetscCall(Largest(dc, lambda, w, row > 0 ? row * radius / 2 : 0, largest));
  const PetscReal n = (PetscReal)ntrain, N = train.value;
  c->eta2 = LinearModelProved(0, NULL, "E does not depend on lambda");
  if (val.standing)
    c->eta1 = LinearModelProved(val.value * val.value / (2 * (PetscReal)nval), &val, "||X'||^2 / (2 n')");
  if (!train.standing) PetscFunctionReturn(PETSC_SUCCESS);
  c->nu1 = LinearModelProved(PetscSqrtReal(6) / 9 * largest[0] * N * N * row / n, &train,
                             "sqrt(6)/9 max sigma(lambda) ||X||^2 max ||x_i|| / n");
  c->nu2 = LinearModelProved(N * largest[1] * row / (2 * n), &train,
                             "||X|| max sigma'(lambda) max ||x_i|| / (2 n)");
  c->L_Phi = LinearModelProved(N * largest[2] / n, &train,
                               "||X|| max sigma'(lambda_i) ||p_i - y_i|| / n over the ball");
  PetscFunctionReturn(PETSC_SUCCESS);
}
