/*
  Constants of hyperrep (see the head of hyperrep.c). mu and L are the extreme eigenvalues of the Hessian,
  which does not depend on w: nu1 = 0. With M = X^T Z and a = X^T r = M w - X^T y

    ||(d/dH grad_w l)^T v||^2 = ||a||^2 ||v||^2 + 2 (w^T v) (a^T M v) + ||w||^2 ||M v||^2

  is a form of d x d whose largest eigenvalue gives L_Phi at w. A step dw changes the transpose by

    X^T (Z dw v^T + Z v dw^T)

  which is 2 ||M|| ||dw|| ||v|| at most and attained: nu2 = 2 ||M||, and L_Phi grows by that over a ball. In
  the same way grad2 E = (M' w - X'^T y') w^T changes over the ball of radius R at w by at most

    eta2 = ||a'|| + ||M'|| (||w|| + 2 R)        and        eta1 = ||Z'||^2

  What rounding may do to an eigenvalue of Z^T Z, a sum over n samples, is at most (n + 10 d) eps tr(Z^T Z),
  and is counted in.
*/
#include "hyperrep.h"
#include "eigen.h"

/* ------------------------------------------------------------------ eigenvalues */

static TwofoldConstant Proved(PetscReal value, const char origin[])
{
  return (TwofoldConstant){.value = value, .standing = TWOFOLD_PROVED, .origin = origin};
}

/* What rounding may do to an eigenvalue of a Gram matrix of this trace. */
static PetscErrorCode Rounding(const HyperRep *hr, BLPSet set, const PetscReal G[], PetscReal *slack)
{
  PetscReal trace = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetSizes(hr->X[set], &n, NULL, NULL));
  for (PetscInt k = 0; k < hr->d; k++) trace += G[k * (hr->d + 1)];
  *slack = (PetscReal)(n + 10 * hr->d) * PETSC_MACHINE_EPSILON * trace;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The least or the largest eigenvalue of the Hessian at H, with its eigenvector v; what rounding may do is
   taken off the least, which is not below beta (v is then 0), and added to the largest. */
static PetscErrorCode Extreme(HyperRep *hr, Vec H, PetscBool largest, PetscReal *value, PetscReal v[])
{
  const PetscInt d = hr->d;
  PetscReal *A, *e, slack = 0;

  PetscFunctionBegin;
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, H, NULL, NULL));
  PetscCall(PetscMalloc2(d * d, &A, d, &e));
  PetscCall(PetscArraycpy(A, hr->G, d * d));
  PetscCall(Rounding(hr, BLP_TRAIN, A, &slack));
  PetscCall(SymmetricEigen(d, A, e));
  PetscCall(PetscArraycpy(v, A + (largest ? (d - 1) * d : 0), d));
  *value = hr->beta + (largest ? e[d - 1] + slack : PetscMax(e[0] - slack, 0));
  if (*value == hr->beta) PetscCall(PetscArrayzero(v, d));
  PetscCall(PetscFree2(A, e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPStrongConvexity_HyperRep(BLP blp, Vec H, TwofoldConstant *mu)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *v, value = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(hr->d, &v));
  PetscCall(Extreme(hr, H, PETSC_FALSE, &value, v));
  *mu = Proved(value, "least eigenvalue of (X H)^T X H + beta I");
  PetscCall(PetscFree(v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothness_HyperRep(BLP blp, Vec H, TwofoldConstant *L)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *v, value = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(hr->d, &v));
  PetscCall(Extreme(hr, H, PETSC_TRUE, &value, v));
  *L = Proved(value, "||X H||^2 + beta");
  PetscCall(PetscFree(v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* d (v^T Z^T Z v) = 2 v^T Z^T X dH v for the unit eigenvector v. */
static PetscErrorCode ExtremeGradient(BLP blp, Vec H, PetscBool largest, Vec g)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *v, *twice, value = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(hr->d, &v, hr->d, &twice));
  PetscCall(Extreme(hr, H, largest, &value, v));
  for (PetscInt k = 0; k < hr->d; k++) twice[k] = 2 * v[k];
  PetscCall(HyperRepPullBack_Private(hr, BLP_TRAIN, NULL, NULL, v, twice, g));
  PetscCall(PetscFree2(v, twice));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPStrongConvexityGradient_HyperRep(BLP blp, Vec H, Vec g)
{
  return ExtremeGradient(blp, H, PETSC_FALSE, g);
}

PetscErrorCode BLPSmoothnessGradient_HyperRep(BLP blp, Vec H, Vec g)
{
  return ExtremeGradient(blp, H, PETSC_TRUE, g);
}

/* ------------------------------------------------------------------ norms of derivatives */

/* Of a set, with M = X^T Z and a = M w - X^T y: M^T M (d x d), M^T a (d) and ||a||^2, one after the other. */
static PetscErrorCode Correlate(const HyperRep *hr, BLPSet set, const PetscReal w[], PetscReal sums[])
{
  const PetscInt d = hr->d;
  PetscReal *const MtM = sums, *const Mta = sums + d * d, *const square = Mta + d;
  const PetscScalar *m;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatMultTranspose(hr->X[set], hr->Z[set], hr->M));
  PetscCall(PetscArrayzero(sums, d * d + d + 1));
  PetscCall(VecGetLocalSize(hr->M, &n));
  PetscCall(VecGetArrayRead(hr->M, &m));
  for (PetscInt j = 0; j < n / d; j++) {
    const PetscScalar *const mj = m + j * d;
    const PetscReal aj = HyperRepDot_Private(d, mj, w) - hr->Xty[set][j];
    *square += aj * aj;
    for (PetscInt k = 0; k < d; k++) {
      Mta[k] += mj[k] * aj;
      for (PetscInt l = 0; l < d; l++) MtM[k * d + l] += mj[k] * mj[l];
    }
  }
  PetscCall(VecRestoreArrayRead(hr->M, &m));
  PetscCall(PetscLogFlops(2.0 * (double)n * (double)(d + 3)));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, (PetscMPIInt)(d * d + d + 1), MPIU_REAL, MPI_SUM,
                           PetscObjectComm((PetscObject)hr->M)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Square root of the largest eigenvalue of A, which is destroyed. */
static PetscErrorCode RootOfLargest(PetscInt d, PetscReal A[], PetscReal *root)
{
  PetscReal *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(d, &e));
  PetscCall(SymmetricEigen(d, A, e));
  *root = PetscSqrtReal(PetscMax(e[d - 1], 0));
  PetscCall(PetscFree(e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* L_Phi at w, by the form at the head of this file, and ||M||. */
static PetscErrorCode CrossNorm(const HyperRep *hr, const PetscReal w[], PetscReal *L_Phi, PetscReal *M)
{
  const PetscInt d = hr->d;
  const PetscReal size = HyperRepDot_Private(d, w, w);
  PetscReal *sums, *form;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(d * d + d + 1, &sums, d * d, &form));
  PetscCall(Correlate(hr, BLP_TRAIN, w, sums));
  const PetscReal *const Mta = sums + d * d, square = sums[d * d + d];
  for (PetscInt k = 0; k < d; k++)
    for (PetscInt l = 0; l < d; l++)
      form[k * d + l] = (k == l ? square : 0) + w[k] * Mta[l] + Mta[k] * w[l] + size * sums[k * d + l];
  PetscCall(RootOfLargest(d, form, L_Phi));
  PetscCall(RootOfLargest(d, sums, M));
  PetscCall(PetscFree2(sums, form));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossLipschitz_HyperRep(BLP blp, Vec H, Vec w, PetscReal radius, BLPLipschitz *c)
{
  HyperRep *hr = (HyperRep *)blp->data;
  const PetscInt d = hr->d;
  PetscReal *all, *sums, *G, L_Phi = 0, M = 0, M_val = 0, root = 0, slack = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(d, &all, d * d + d + 1, &sums, d * d, &G));
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, H, w, all));
  PetscCall(HyperRepEnter_Private(hr, BLP_VAL, H, NULL, NULL));
  PetscCall(HyperRepGram_Private(hr, BLP_VAL, G, NULL));
  PetscCall(Rounding(hr, BLP_VAL, G, &slack));
  PetscCall(RootOfLargest(d, G, &root));
  c->eta1 = Proved(root * root + slack, "||X' H||^2");
  PetscCall(Correlate(hr, BLP_VAL, all, sums));
  const PetscReal a = PetscSqrtReal(sums[d * d + d]);
  PetscCall(RootOfLargest(d, sums, &M_val));
  const PetscReal reach = PetscSqrtReal(HyperRepDot_Private(d, all, all)) + 2 * radius;
  c->eta2 = Proved(a + (M_val > 0 ? M_val * reach : 0), "||X'^T r'|| + ||X'^T X' H|| (||w|| + 2 radius)");
  PetscCall(CrossNorm(hr, all, &L_Phi, &M));
  c->nu1 = Proved(0, "0: quadratic in w");
  c->nu2 = Proved(2 * M, "2 ||X^T X H||");
  c->L_Phi = Proved(L_Phi + (M > 0 ? 2 * M * radius : 0), "||d/dH grad_w l|| at w + 2 ||X^T X H|| radius");
  PetscCall(PetscFree3(all, sums, G));
  PetscFunctionReturn(PETSC_SUCCESS);
}
