/*
  hyperrep: a representation x -> H^T x of the features that is learnt above, and ridge regression on it
  below.

    l(w, H) = 1/2 ||X H w - y||^2 + beta/2 ||w||^2     (training samples)
    E(w, H) = 1/2 ||X' H w - y'||^2                    (validation samples)

  lambda = H is p x d, laid out as a block of d columns by features, and w has d entries, of which there are
  few: all of them, and matrices of d x d, are at times on every rank. With Z = X H, once for each H, r = Z w
  - y, V = X U, and the same of the validation samples with a dash,

    grad_w l                   = Z^T Z w - Z^T y + beta w
    grad^2_ww l                = Z^T Z + beta I
    (d/dH grad_w l) U          = V^T r + Z^T V w
    (d/dH grad_w l)^T v        = X^T (r v^T + Z v w^T)
    grad1 E                    = Z'^T r',     grad2 E = X'^T r' w^T

  so that a step of the lower level costs d^2 and no pass over samples. w(H) = (Z^T Z + beta I)^{-1} Z^T y is
  known in closed form. H = 0 is stationary, so that a run starts from H_jk = c^{k/(d-1)} N(0,1) / sqrt(p),
  k = 0, 1, ...; c = 1 makes columns of one size, a smaller one the Hessian there as ill conditioned as 1/c^2.
*/
#include "hyperrep.h"
/* after PETSc's own */
#include <petscblaslapack.h>

/* ------------------------------------------------------------------ the small space */

/* y <- this rank's part of `all`. */
static PetscErrorCode Fill(const PetscReal all[], Vec y)
{
  PetscInt first, n;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(y, &first, NULL));
  PetscCall(VecGetLocalSize(y, &n));
  PetscCall(VecGetArrayWrite(y, &a));
  PetscCall(PetscArraycpy(a, all + first, n));
  PetscCall(VecRestoreArrayWrite(y, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = (G + beta I) v */
static void HessianMult(const HyperRep *hr, const PetscReal v[], PetscReal y[])
{
  for (PetscInt k = 0; k < hr->d; k++)
    y[k] = HyperRepDot_Private(hr->d, hr->G + k * hr->d, v) + hr->beta * v[k];
}

/* x <- (G + beta I)^{-1} x; NaN where H is not finite. */
static PetscErrorCode HessianSolve(const HyperRep *hr, PetscReal x[])
{
  PetscBLASInt d, one = 1, info;
  PetscReal *A;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(hr->d, &d));
  PetscCall(PetscMalloc1(hr->d * hr->d, &A));
  PetscCall(PetscArraycpy(A, hr->G, hr->d * hr->d));
  for (PetscInt k = 0; k < hr->d; k++) A[k * hr->d + k] += hr->beta;
  LAPACKpotrf_("U", &d, A, &d, &info);
  if (info == 0) LAPACKpotrs_("U", &d, &one, A, &d, x, &d, &info);
  for (PetscInt k = 0; k < hr->d && info; k++) x[k] = NAN;
  PetscCall(PetscFree(A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ sample space */

/* g = Z^T r */
static PetscErrorCode Project(const HyperRep *hr, BLPSet set, const PetscReal r[], PetscReal g[])
{
  const PetscInt d = hr->d;
  const PetscScalar *z;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetTargets(hr->X[set], &n, NULL));
  PetscCall(PetscArrayzero(g, d));
  PetscCall(VecGetArrayRead(hr->Z[set], &z));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt k = 0; k < d; k++) g[k] += r[i] * z[i * d + k];
  PetscCall(VecRestoreArrayRead(hr->Z[set], &z));
  PetscCall(PetscLogFlops(2.0 * (double)n * (double)d));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, g, (PetscMPIInt)d, MPIU_REAL, MPI_SUM,
                           PetscObjectComm((PetscObject)hr->Z[set])));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* G <- Z^T Z, and h <- Z^T y where it is not NULL. */
PetscErrorCode HyperRepGram_Private(const HyperRep *hr, BLPSet set, PetscReal G[], PetscReal h[])
{
  const PetscReal *y;
  const PetscScalar *z, one = 1, zero = 0;
  PetscInt n;
  PetscBLASInt d, samples;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetTargets(hr->X[set], &n, &y));
  PetscCall(PetscBLASIntCast(hr->d, &d));
  PetscCall(PetscBLASIntCast(n, &samples));
  PetscCall(VecGetArrayRead(hr->Z[set], &z));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &d, &d, &samples, &one, z, &d, z, &d, &zero, G, &d));
  PetscCall(VecRestoreArrayRead(hr->Z[set], &z));
  PetscCall(PetscLogFlops(2.0 * (double)n * (double)d * (double)d));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, G, (PetscMPIInt)(d * d), MPIU_REAL, MPI_SUM,
                           PetscObjectComm((PetscObject)hr->Z[set])));
  if (h) PetscCall(Project(hr, set, y, h));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Z = X H of a set, and G and h for the training samples, kept until H changes on any rank. */
static PetscErrorCode Represent(HyperRep *hr, BLPSet set, Vec H, PetscBool changed)
{
  PetscFunctionBegin;
  if (!changed) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FeatureMatMult(hr->X[set], H, hr->Z[set]));
  if (set == BLP_TRAIN) PetscCall(HyperRepGram_Private(hr, set, hr->G, hr->h));
  PetscCall(PetscObjectGetId((PetscObject)H, &hr->id[set]));
  PetscCall(PetscObjectStateGet((PetscObject)H, &hr->state[set]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Represent() where it is needed, and all entries of v, of w's space, on every rank: in one reduction. v and
   all may be NULL. */
PetscErrorCode HyperRepEnter_Private(HyperRep *hr, BLPSet set, Vec H, Vec v, PetscReal all[])
{
  const PetscInt d = hr->d;
  PetscObjectId id;
  PetscObjectState state;
  PetscReal *buffer;
  PetscInt first, n;
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(PetscObjectGetId((PetscObject)H, &id));
  PetscCall(PetscObjectStateGet((PetscObject)H, &state));
  PetscCall(PetscCalloc1(d + 1, &buffer));
  buffer[d] = id != hr->id[set] || state != hr->state[set];
  if (v) {
    PetscCall(VecGetOwnershipRange(v, &first, NULL));
    PetscCall(VecGetLocalSize(v, &n));
    PetscCall(VecGetArrayRead(v, &a));
    PetscCall(PetscArraycpy(buffer + first, a, n));
    PetscCall(VecRestoreArrayRead(v, &a));
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, buffer, (PetscMPIInt)(d + 1), MPIU_REAL, MPI_SUM,
                           PetscObjectComm((PetscObject)H)));
  PetscCall(Represent(hr, set, H, (PetscBool)(buffer[d] > 0)));
  if (v) PetscCall(PetscArraycpy(all, buffer, d));
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* r = Z w - y of this rank's samples where it is not NULL, and 1/2 ||r||^2 over all where that is not. */
static PetscErrorCode Residual(const HyperRep *hr, BLPSet set, const PetscReal w[], PetscReal r[],
                               PetscReal *half)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hr->Z[set]);
  const PetscReal *y;
  const PetscScalar *z;
  PetscReal square = 0;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetTargets(hr->X[set], &n, &y));
  PetscCall(VecGetArrayRead(hr->Z[set], &z));
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal ri = HyperRepDot_Private(hr->d, z + i * hr->d, w) - y[i];
    square += ri * ri;
    if (r) r[i] = ri;
  }
  PetscCall(VecRestoreArrayRead(hr->Z[set], &z));
  PetscCall(PetscLogFlops(2.0 * (double)n * (double)hr->d));
  if (!half) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &square, 1, MPIU_REAL, MPI_SUM, comm));
  *half = square / 2;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g = X^T (r v^T + Z u w^T) of a set; r or u may be NULL, and their part is 0 then. */
PetscErrorCode HyperRepPullBack_Private(const HyperRep *hr, BLPSet set, const PetscReal r[],
                                        const PetscReal v[], const PetscReal u[], const PetscReal w[], Vec g)
{
  const PetscInt d = hr->d;
  const PetscScalar *z;
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetTargets(hr->X[set], &n, NULL));
  PetscCall(VecGetArrayRead(hr->Z[set], &z));
  PetscCall(VecGetArrayWrite(hr->R[set], &a));
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal ri = r ? r[i] : 0, zu = u ? HyperRepDot_Private(d, z + i * d, u) : 0;
    for (PetscInt k = 0; k < d; k++) a[i * d + k] = (r ? ri * v[k] : 0) + (u ? zu * w[k] : 0);
  }
  PetscCall(VecRestoreArrayWrite(hr->R[set], &a));
  PetscCall(VecRestoreArrayRead(hr->Z[set], &z));
  PetscCall(PetscLogFlops(5.0 * (double)n * (double)d));
  PetscCall(FeatureMatMultTranspose(hr->X[set], hr->R[set], g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

static PetscErrorCode BLPUpper_HyperRep(BLP blp, Vec H, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *all, *g, *const r = hr->r[BLP_VAL];

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(hr->d, &all, hr->d, &g));
  PetscCall(HyperRepEnter_Private(hr, BLP_VAL, H, w, all));
  PetscCall(Residual(hr, BLP_VAL, all, r, E));
  if (g1) {
    PetscCall(Project(hr, BLP_VAL, r, g));
    PetscCall(Fill(g, g1));
  }
  if (g2) PetscCall(HyperRepPullBack_Private(hr, BLP_VAL, r, all, NULL, NULL, g2));
  PetscCall(PetscFree2(all, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The value from the residuals, since in w^T G w - 2 w^T h + y^T y they cancel. */
static PetscErrorCode BLPLossGradient_HyperRep(BLP blp, Vec H, Vec w, PetscReal *l, Vec g)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *all, *out;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(hr->d, &all, hr->d, &out));
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, H, w, all));
  HessianMult(hr, all, out);
  for (PetscInt k = 0; k < hr->d; k++) out[k] -= hr->h[k];
  PetscCall(Fill(out, g));
  if (l) PetscCall(Residual(hr, BLP_TRAIN, all, NULL, l));
  if (l) *l += hr->beta / 2 * HyperRepDot_Private(hr->d, all, all);
  PetscCall(PetscFree2(all, out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLinearize_HyperRep(BLP blp, Vec H, Vec w)
{
  HyperRep *hr = (HyperRep *)blp->data;

  PetscFunctionBegin;
  hr->at = H;
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, H, w, hr->at_w));
  PetscCall(Residual(hr, BLP_TRAIN, hr->at_w, hr->r[BLP_TRAIN], NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Products take Z at the point anew where it was asked for at another H in between. */
static PetscErrorCode BLPLossHessian_HyperRep(BLP blp, Vec v, Vec y)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *all, *out;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(hr->d, &all, hr->d, &out));
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, hr->at, v, all));
  HessianMult(hr, all, out);
  PetscCall(Fill(out, y));
  PetscCall(PetscFree2(all, out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessianDiagonal_HyperRep(BLP blp, Vec y)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *out;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(hr->d, &out));
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, hr->at, NULL, NULL));
  for (PetscInt k = 0; k < hr->d; k++) out[k] = hr->G[k * (hr->d + 1)] + hr->beta;
  PetscCall(Fill(out, y));
  PetscCall(PetscFree(out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_HyperRep(BLP blp, Vec U, Vec y)
{
  HyperRep *hr = (HyperRep *)blp->data;
  const PetscInt d = hr->d;
  const PetscReal *const r = hr->r[BLP_TRAIN];
  const PetscScalar *v, *z;
  PetscReal *out;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, hr->at, NULL, NULL));
  PetscCall(FeatureMatMult(hr->X[BLP_TRAIN], U, hr->R[BLP_TRAIN]));
  PetscCall(FeatureMatGetTargets(hr->X[BLP_TRAIN], &n, NULL));
  PetscCall(PetscCalloc1(d, &out));
  PetscCall(VecGetArrayRead(hr->R[BLP_TRAIN], &v));
  PetscCall(VecGetArrayRead(hr->Z[BLP_TRAIN], &z));
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal vw = HyperRepDot_Private(d, v + i * d, hr->at_w);
    for (PetscInt k = 0; k < d; k++) out[k] += v[i * d + k] * r[i] + z[i * d + k] * vw;
  }
  PetscCall(VecRestoreArrayRead(hr->Z[BLP_TRAIN], &z));
  PetscCall(VecRestoreArrayRead(hr->R[BLP_TRAIN], &v));
  PetscCall(PetscLogFlops(6.0 * (double)n * (double)d));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, out, (PetscMPIInt)d, MPIU_REAL, MPI_SUM,
                           PetscObjectComm((PetscObject)blp)));
  PetscCall(Fill(out, y));
  PetscCall(PetscFree(out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCrossTranspose_HyperRep(BLP blp, Vec v, Vec g)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *all;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(hr->d, &all));
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, hr->at, v, all));
  PetscCall(HyperRepPullBack_Private(hr, BLP_TRAIN, hr->r[BLP_TRAIN], all, all, hr->at_w, g));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* w(H), and g = grad2 E - (d/dH grad_w l)^T v with (Z^T Z + beta I) v = grad1 E. */
static PetscErrorCode BLPExact_HyperRep(BLP blp, Vec H, Vec w, PetscReal *f, Vec g)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *const val = hr->r[BLP_VAL];
  PetscReal *solution, *v;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(hr->d, &solution, hr->d, &v));
  PetscCall(HyperRepEnter_Private(hr, BLP_TRAIN, H, NULL, NULL));
  PetscCall(HyperRepEnter_Private(hr, BLP_VAL, H, NULL, NULL));
  PetscCall(PetscArraycpy(solution, hr->h, hr->d));
  PetscCall(HessianSolve(hr, solution));
  if (w) PetscCall(Fill(solution, w));
  PetscCall(Residual(hr, BLP_VAL, solution, val, f));
  if (g) {
    PetscReal *own;
    PetscInt n;
    PetscCall(FeatureMatGetTargets(hr->X[BLP_TRAIN], &n, NULL));
    PetscCall(PetscMalloc1(n + 1, &own)); /* the point of linearisation keeps its residuals */
    PetscCall(Residual(hr, BLP_TRAIN, solution, own, NULL));
    PetscCall(Project(hr, BLP_VAL, val, v));
    PetscCall(HessianSolve(hr, v));
    PetscCall(HyperRepPullBack_Private(hr, BLP_TRAIN, own, v, v, solution, hr->M));
    PetscCall(HyperRepPullBack_Private(hr, BLP_VAL, val, solution, NULL, NULL, g));
    PetscCall(VecAXPY(g, -1, hr->M));
    PetscCall(PetscFree(own));
  }
  PetscCall(PetscFree2(solution, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPEvaluate_HyperRep(BLP blp, BLPSet set, Vec H, Vec w, BLPMetrics *metrics)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscReal *all;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(hr->d, &all));
  PetscCall(HyperRepEnter_Private(hr, set, H, w, all));
  PetscCall(Residual(hr, set, all, NULL, &metrics->loss));
  PetscCall(FeatureMatGetSizes(hr->X[set], &metrics->n, NULL, NULL));
  metrics->loss /= (PetscReal)metrics->n;
  metrics->accuracy = NAN;
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ spaces */

PetscErrorCode HyperRepReset_Private(BLP blp)
{
  HyperRep *hr = (HyperRep *)blp->data;
  Vec *const vecs[] = {&hr->Z[0], &hr->Z[1], &hr->Z[2], &hr->R[0], &hr->R[1], &hr->H, &hr->w, &hr->M};

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++) PetscCall(VecDestroy(vecs[i]));
  for (int s = 0; s < 3; s++) {
    PetscCall(FeatureMatDestroy(&hr->X[s]));
    hr->id[s] = 0;
  }
  for (int s = 0; s < 2; s++) {
    PetscCall(PetscFree(hr->r[s]));
    PetscCall(PetscFree(hr->Xty[s]));
  }
  PetscCall(PetscFree3(hr->G, hr->h, hr->at_w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The space of w. */
PetscErrorCode HyperRepCreateSmall_Private(BLP blp)
{
  HyperRep *hr = (HyperRep *)blp->data;

  PetscFunctionBegin;
  blp->nw = hr->d;
  PetscCall(VecCreate(PetscObjectComm((PetscObject)blp), &hr->w));
  PetscCall(VecSetSizes(hr->w, PETSC_DECIDE, hr->d));
  PetscCall(VecSetFromOptions(hr->w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

/* X^T y as the first of d columns. */
static PetscErrorCode CorrelateTargets(HyperRep *hr, BLPSet set)
{
  const PetscReal *y;
  const PetscScalar *m;
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetTargets(hr->X[set], &n, &y));
  PetscCall(VecZeroEntries(hr->R[set]));
  PetscCall(VecGetArray(hr->R[set], &a));
  for (PetscInt i = 0; i < n; i++) a[i * hr->d] = y[i];
  PetscCall(VecRestoreArray(hr->R[set], &a));
  PetscCall(FeatureMatMultTranspose(hr->X[set], hr->R[set], hr->M));
  PetscCall(VecGetLocalSize(hr->M, &n));
  PetscCall(PetscMalloc1(n / hr->d + 1, &hr->Xty[set]));
  PetscCall(VecGetArrayRead(hr->M, &m));
  for (PetscInt j = 0; j < n / hr->d; j++) hr->Xty[set][j] = m[j * hr->d];
  PetscCall(VecRestoreArrayRead(hr->M, &m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetUpSamples(BLP blp, BLPSet set)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscInt n, rows = PETSC_DECIDE;

  PetscFunctionBegin;
  if (set != BLP_TRAIN) PetscCall(FeatureMatGetLocalFeatures(hr->X[BLP_TRAIN], &rows));
  PetscCall(BLPCreateFeatureMat_Private(blp, blp->set[set], rows, hr->d, PETSC_FALSE, &hr->X[set]));
  PetscCall(DataSetDestroy(&blp->set[set])); /* before the next set is dealt out */
  PetscCall(FeatureMatCreateVecs(hr->X[set], NULL, &hr->Z[set]));
  if (set == BLP_TEST) PetscFunctionReturn(PETSC_SUCCESS);
  if (set == BLP_TRAIN) PetscCall(FeatureMatCreateVecs(hr->X[set], &hr->M, NULL));
  PetscCall(VecDuplicate(hr->Z[set], &hr->R[set]));
  PetscCall(FeatureMatGetTargets(hr->X[set], &n, NULL));
  PetscCall(PetscMalloc1(n + 1, &hr->r[set]));
  PetscCall(CorrelateTargets(hr, set));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetUp_HyperRep(BLP blp)
{
  HyperRep *hr = (HyperRep *)blp->data;
  const PetscInt d = hr->d;

  PetscFunctionBegin;
  PetscCall(HyperRepReset_Private(blp));
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], NULL, &hr->p, NULL));
  for (int s = 0; s < 3; s++)
    if (blp->set[s]) PetscCall(SetUpSamples(blp, (BLPSet)s));
  PetscCall(VecDuplicate(hr->M, &hr->H));
  PetscCall(VecGetSize(hr->H, &blp->nlambda));
  PetscCall(HyperRepCreateSmall_Private(blp));
  PetscCall(PetscMalloc3(d * d, &hr->G, d, &hr->h, d, &hr->at_w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPCreateVecs_HyperRep(BLP blp, Vec *lambda, Vec *w)
{
  HyperRep *hr = (HyperRep *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(hr->H, lambda));
  if (w) PetscCall(VecDuplicate(hr->w, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Of H itself, of a tied one, and of folds alike: entries by their index, rows of H of norm about sqrt(d /
 * p). */
static PetscErrorCode BLPStart_HyperRep(BLP blp, Vec lambda)
{
  const HyperRep *hr = (HyperRep *)blp->data;
  PetscScalar *a;
  PetscInt n, nlocal, bs;

  PetscFunctionBegin;
  PetscCall(VecGetSize(lambda, &n));
  PetscCall(VecGetLocalSize(lambda, &nlocal));
  PetscCall(VecGetBlockSize(lambda, &bs));
  PetscCall(TwofoldVecSetRandomNormal(lambda, (PetscInt64)16 * hr->seed + 9)); /* not a key of data */
  PetscCall(VecScale(lambda, 1 / PetscSqrtReal((PetscReal)n / (PetscReal)bs)));
  PetscCall(VecGetArray(lambda, &a));
  for (PetscInt i = 0; i < nlocal && bs > 1; i++)
    a[i] *= PetscPowReal(hr->decay, (PetscReal)(i % bs) / (PetscReal)(bs - 1));
  PetscCall(VecRestoreArray(lambda, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetFromOptions_HyperRep(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  HyperRep *hr = (HyperRep *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-blp_hyperrep_dim", "Size d of the representation", "BLPHYPERREP", hr->d, &hr->d,
                            NULL));
  PetscCall(PetscOptionsReal("-blp_hyperrep_beta", "BETA of BETA/2 ||w||^2 in the lower level", "BLPHYPERREP",
                             hr->beta, &hr->beta, NULL));
  PetscCall(PetscOptionsInt("-blp_hyperrep_seed", "Key of the random starting H", "BLPHYPERREP", hr->seed,
                            &hr->seed, NULL));
  PetscCall(PetscOptionsReal("-blp_hyperrep_decay",
                             "Size of the starting H's last column, the first one's being 1", "BLPHYPERREP",
                             hr->decay, &hr->decay, NULL));
  PetscCheck(hr->decay > 0 && !PetscIsInfReal(hr->decay), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_hyperrep_decay %g: must be positive and finite", (double)hr->decay);
  PetscCheck(hr->d >= 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_hyperrep_dim %" PetscInt_FMT ": must be at least 1", hr->d);
  PetscCheck(hr->beta > 0 && !PetscIsInfReal(hr->beta), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_hyperrep_beta %g: must be positive and finite", (double)hr->beta);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_HyperRep(BLP blp, PetscViewer viewer)
{
  HyperRep *hr = (HyperRep *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "features %" PetscInt_FMT ", representation of size %" PetscInt_FMT ", beta %g\n", hr->p, hr->d,
      (double)hr->beta));
  for (int s = 0; s < 3; s++) {
    PetscInt n;
    if (!hr->X[s]) continue;
    PetscCall(FeatureMatGetSizes(hr->X[s], &n, NULL, NULL));
    PetscCall(PetscViewerASCIIPrintf(viewer, "%s: %" PetscInt_FMT " samples\n", BLPSets[s], n));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_HyperRep(BLP blp, PetscLogDouble *bytes)
{
  HyperRep *hr = (HyperRep *)blp->data;
  PetscLogDouble part;
  PetscInt n;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    if (!hr->X[s]) continue;
    PetscCall(FeatureMatGetMemory(hr->X[s], &part));
    PetscCall(VecGetLocalSize(hr->Z[s], &n));
    *bytes += part + (PetscLogDouble)n * sizeof(PetscScalar) * (s == BLP_TEST ? 1 : 2);
    if (s != BLP_TEST) *bytes += (PetscLogDouble)(n / hr->d) * sizeof(PetscReal);
  }
  PetscCall(VecGetLocalSize(hr->H, &n));
  *bytes += 2.0 * (PetscLogDouble)(n + n / hr->d) * sizeof(PetscScalar);
  *bytes += (PetscLogDouble)hr->d * (PetscLogDouble)(hr->d + 4) * sizeof(PetscReal);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_HyperRep(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(HyperRepReset_Private(blp));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_HyperRep(BLP blp)
{
  HyperRep *hr;

  PetscFunctionBegin;
  PetscCall(PetscNew(&hr));
  hr->d = 10;
  hr->beta = hr->decay = 1;
  blp->data = hr;
  blp->needs_samples = PETSC_TRUE;
  blp->targets = PETSC_TRUE;
  blp->lambda_predicts = PETSC_TRUE;
  blp->ops->setfromoptions = BLPSetFromOptions_HyperRep;
  blp->ops->setup = BLPSetUp_HyperRep;
  blp->ops->view = BLPView_HyperRep;
  blp->ops->destroy = BLPDestroy_HyperRep;
  blp->ops->createvecs = BLPCreateVecs_HyperRep;
  blp->ops->start = BLPStart_HyperRep;
  blp->ops->upper = BLPUpper_HyperRep;
  blp->ops->exact = BLPExact_HyperRep;
  blp->ops->lossgradient = BLPLossGradient_HyperRep;
  blp->ops->losslinearize = BLPLossLinearize_HyperRep;
  blp->ops->losshessian = BLPLossHessian_HyperRep;
  blp->ops->losshessiandiagonal = BLPLossHessianDiagonal_HyperRep;
  blp->ops->losscross = BLPLossCross_HyperRep;
  blp->ops->losscrosstranspose = BLPLossCrossTranspose_HyperRep;
  blp->ops->strongconvexity = BLPStrongConvexity_HyperRep;
  blp->ops->smoothness = BLPSmoothness_HyperRep;
  blp->ops->strongconvexitygradient = BLPStrongConvexityGradient_HyperRep;
  blp->ops->smoothnessgradient = BLPSmoothnessGradient_HyperRep;
  blp->ops->losslipschitz = BLPLossLipschitz_HyperRep;
  blp->ops->evaluate = BLPEvaluate_HyperRep;
  blp->ops->memory = BLPGetMemory_HyperRep;
  blp->ops->savemodel = BLPSaveModel_HyperRep;
  blp->ops->loadmodel = BLPLoadModel_HyperRep;
  blp->ops->predict = BLPPredict_HyperRep;
  PetscFunctionReturn(PETSC_SUCCESS);
}
