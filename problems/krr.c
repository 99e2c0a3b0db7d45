/*
  krr: kernel ridge regression with a Gaussian kernel that has a width a feature.

    l(w, lambda) = 1/2 w^T (K + beta I) w - w^T y            (training samples; a weight w_j each)
    E(w, lambda) = 1/2 ||y' - K' w||^2                       (validation samples)

    K_ij = exp(-sum_k gamma_k (x_ik - x_jk)^2) over the training samples, K'_ij likewise from validation
  sample i to training sample j

  so that w(lambda) = (K + beta I)^{-1} y: equation (22) of the paper. lambda has p + 1 entries, (beta,
  gamma_1 .. gamma_p) with -blp_krr_parameters raw, where they must be positive, or their logarithms with exp,
  the default; s_0 .. s_p below are the derivatives of these by lambda: 1, or themselves. lambda is gathered
  on every rank.

  With dK_k = -K * D_k, (D_k)_ij = (x_ik - x_jk)^2 (*: by entries), likewise dK'_k, and r = y' - K' w:

    grad_w l                 = (K + beta I) w - y
    grad^2_ww l              = K + beta I
    (d/dlambda grad_w l) u   = s_0 u_0 w + sum_k s_k u_k dK_k w
    (d/dlambda grad_w l)^T v = [s_0 w^T v, s_k v^T dK_k w]
    grad1 E                  = -K'^T r
    grad2 E                  = [0, -s_k r^T dK'_k w]

  The kernel matrices are computed once a lambda. No dK_k is ever formed: with the squares of D_k expanded,
  what is needed of all of them at w is K w and K times the n x p matrix of w * x_.k (krr_kernel.c).

  Constants, for every w (with C(w) = d/dlambda grad_w l, linear in w, and C'(w) = [s_k dK'_k w] likewise):

    mu   = beta, since K is positive semidefinite
    L    = beta + max_i sum_j K_ij, since no entry of K is negative
    nu1  = 0, the Hessian does not depend on w
    nu2  = sup ||C(w)|| / ||w|| <= sqrt(s_0^2 + B^2), B a bound of ||sum_k u_k s_k dK_k|| over unit u
    L_Phi  <= ||C(w)|| + nu2 radius within the ball around w
    eta1 = ||K'||^2
    eta2: the derivative of grad2 E along d is -C'(d)^T r + C'(w)^T K' d, so that with B' as B, within the
  ball, eta2 <= B' (||r|| + ||K'|| radius) + (||C'(w)|| + B' radius) ||K'||

  B is that of the matrix with entries K_ij ||(s_k D_ijk)_k||, which are at least those of any |sum_k u_k s_k
  dK_k|: the root of its largest row sum times its largest column sum, or its Frobenius norm where less
  (krr_bounds.c).
*/
#include <float.h>
#include "krr.h"

static const char *const parameters[] = {"raw", "exp", "KRRParameters", "KRR_", NULL};

/* ------------------------------------------------------------------ lambda and the kernels */

/* (beta, gamma) and their derivatives from all of lambda. */
static PetscErrorCode SetParameters(BLP blp, const PetscScalar lambda[])
{
  const PetscReal least = DBL_MIN; /* an exponential is positive, also where it underflows */
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  for (PetscInt k = 0; k <= krr->p; k++) {
    const PetscReal value = krr->parameters == KRR_EXP ? PetscMax(PetscExpReal(lambda[k]), least) : lambda[k];
    PetscCheck(krr->parameters == KRR_EXP || value > 0, PetscObjectComm((PetscObject)blp),
               PETSC_ERR_ARG_OUTOFRANGE,
               "-blp_krr_parameters raw: entry %" PetscInt_FMT " of lambda, %s, is %g and must be positive: "
               "start and stay above 0, or use -blp_krr_parameters exp",
               k, k ? "a gamma" : "beta", (double)value);
    krr->at[k] = value;
    krr->s[k] = krr->parameters == KRR_EXP ? value : 1;
  }
  krr->changes++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRUpdateParameters_Private(BLP blp, Vec lambda)
{
  KRR *krr = (KRR *)blp->data;
  PetscBool changed;
  Vec all;
  VecScatter gather;
  const PetscScalar *l;

  PetscFunctionBegin;
  PetscCall(TwofoldHasChanged(1, &lambda, &krr->seen, &changed));
  if (!changed) PetscFunctionReturn(PETSC_SUCCESS);
  krr->seen = (TwofoldSeen){0};
  PetscCall(VecScatterCreateToAll(lambda, &gather, &all));
  PetscCall(VecScatterBegin(gather, lambda, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(gather, lambda, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterDestroy(&gather));
  PetscCall(VecGetArrayRead(all, &l));
  PetscCall(SetParameters(blp, l));
  PetscCall(VecRestoreArrayRead(all, &l));
  PetscCall(VecDestroy(&all));
  PetscCall(TwofoldSee(lambda, &krr->seen));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode UpdateKernel(KRR *krr, BLPSet set)
{
  KRRKernel *const k = &krr->kernel[set];

  PetscFunctionBegin;
  if (k->computed == krr->changes) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(KRRKernelCompute_Private(k));
  k->computed = krr->changes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRUpdate_Private(BLP blp, BLPSet set, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(KRRUpdateParameters_Private(blp, lambda));
  PetscCall(UpdateKernel((KRR *)blp->data, set));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The training kernel at the point of linearisation, which evaluations at another lambda took away. */
static PetscErrorCode ReturnToPoint(BLP blp)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  if (krr->changes != krr->point.changes) PetscCall(KRRUpdateParameters_Private(blp, krr->point.lambda));
  PetscCall(UpdateKernel(krr, BLP_TRAIN));
  krr->point.changes = krr->changes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRSetGradient_Private(const KRR *krr, const PetscReal a[], Vec g)
{
  PetscInt first, last;
  PetscScalar *b;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(g, &first, &last));
  PetscCall(VecGetArrayWrite(g, &b));
  for (PetscInt k = first; k < last; k++) b[k - first] = krr->s[k] * a[k];
  PetscCall(VecRestoreArrayWrite(g, &b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* krr->all = all of v. */
static PetscErrorCode Gather(KRR *krr, Vec v)
{
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(KRRSamplesGather_Private(&krr->set[BLP_TRAIN], a, krr->all));
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = (K + beta I) v, which is (K - I) v + (1 + beta) v. */
static PetscErrorCode MultHessian(KRR *krr, Vec v, Vec y)
{
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(Gather(krr, v));
  PetscCall(VecGetArrayWrite(y, &a));
  PetscCall(KRRKernelMult_Private(&krr->kernel[BLP_TRAIN], krr->all, a));
  PetscCall(VecRestoreArrayWrite(y, &a));
  PetscCall(VecAXPY(y, 1 + krr->at[0], v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ upper level */

PetscErrorCode KRRResiduals_Private(BLP blp, BLPSet set, Vec lambda, Vec w, PetscScalar Kw[], PetscScalar r[])
{
  KRR *krr = (KRR *)blp->data;
  const KRRSamples *const samples = &krr->set[set];
  const PetscInt n = samples->layout->n;

  PetscFunctionBegin;
  PetscCall(KRRUpdate_Private(blp, set, lambda));
  PetscCall(Gather(krr, w));
  PetscCall(KRRKernelMult_Private(&krr->kernel[set], krr->all, Kw));
  for (PetscInt i = 0; krr->kernel[set].square && i < n; i++) Kw[i] += krr->all[samples->layout->rstart + i];
  for (PetscInt i = 0; i < n; i++) r[i] = samples->y[i] - Kw[i];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g2 = [0, -s_k r^T dK'_k w] from what KRRResiduals_Private() left, and K'^T r. */
static PetscErrorCode UpperParameterGradient(KRR *krr, Vec w, const PetscScalar Kw[], const PetscScalar r[],
                                             const PetscScalar Ktr[], Vec g2)
{
  const KRRKernel *const k = &krr->kernel[BLP_VAL];
  PetscReal *g;
  PetscScalar *G;
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2((size_t)k->row->layout->n * krr->p, &G, krr->p + 1, &g));
  PetscCall(KRRKernelMultFeatures_Private(k, krr->all, G));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(KRRKernelGradient_Private(k, r, a, Kw, G, Ktr, g + 1));
  PetscCall(VecRestoreArrayRead(w, &a));
  g[0] = 0;
  PetscCall(KRRSetGradient_Private(krr, g, g2));
  PetscCall(VecScale(g2, -1));
  PetscCall(PetscFree2(G, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPUpper_KRR(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  KRR *krr = (KRR *)blp->data;
  const PetscInt n = krr->set[BLP_VAL].layout->n, nw = krr->set[BLP_TRAIN].layout->n;
  PetscScalar *Kw, *r, *Ktr, *a;
  PetscReal sum = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(n, &Kw, n, &r, nw, &Ktr));
  PetscCall(KRRResiduals_Private(blp, BLP_VAL, lambda, w, Kw, r));
  for (PetscInt i = 0; i < n; i++) sum += r[i] * r[i];
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
  *E = sum / 2;
  if (g1 || g2) PetscCall(KRRKernelMultTranspose_Private(&krr->kernel[BLP_VAL], r, Ktr));
  if (g1) {
    PetscCall(VecGetArrayWrite(g1, &a));
    for (PetscInt j = 0; j < nw; j++) a[j] = -Ktr[j];
    PetscCall(VecRestoreArrayWrite(g1, &a));
  }
  if (g2) PetscCall(UpperParameterGradient(krr, w, Kw, r, Ktr, g2));
  PetscCall(PetscFree3(Kw, r, Ktr));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ lower level */

static PetscErrorCode BLPLossGradient_KRR(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  KRR *krr = (KRR *)blp->data;
  const KRRSamples *const train = &krr->set[BLP_TRAIN];
  const PetscScalar *a;
  PetscScalar *b;
  PetscReal sum = 0;

  PetscFunctionBegin;
  PetscCall(KRRUpdate_Private(blp, BLP_TRAIN, lambda));
  PetscCall(MultHessian(krr, w, g));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(VecGetArray(g, &b));
  for (PetscInt i = 0; i < train->layout->n; i++) {
    sum += a[i] * (b[i] / 2 - train->y[i]);
    b[i] -= train->y[i];
  }
  PetscCall(VecRestoreArray(g, &b));
  PetscCall(VecRestoreArrayRead(w, &a));
  if (l) {
    PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
    *l = sum;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLinearize_KRR(BLP blp, Vec lambda, Vec w)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  PetscCall(KRRUpdate_Private(blp, BLP_TRAIN, lambda));
  krr->point.lambda = lambda;
  krr->point.w = w;
  krr->point.changes = krr->changes;
  krr->point.multiplied = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessian_KRR(BLP blp, Vec v, Vec y)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  PetscCall(ReturnToPoint(blp));
  PetscCall(MultHessian(krr, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessianDiagonal_KRR(BLP blp, Vec d)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  PetscCall(ReturnToPoint(blp));
  PetscCall(VecSet(d, 1 + krr->at[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the cross products need of K at the point, once a point. */
static PetscErrorCode MultiplyAtPoint(BLP blp)
{
  KRR *krr = (KRR *)blp->data;
  const KRRKernel *const k = &krr->kernel[BLP_TRAIN];

  PetscFunctionBegin;
  PetscCall(ReturnToPoint(blp));
  if (krr->point.multiplied) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Gather(krr, krr->point.w));
  PetscCall(KRRKernelMult_Private(k, krr->all, krr->point.Kw));
  PetscCall(KRRKernelMultFeatures_Private(k, krr->all, krr->point.G));
  krr->point.multiplied = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_KRR(BLP blp, Vec u, Vec y)
{
  KRR *krr = (KRR *)blp->data;
  const PetscInt p = krr->p;
  const PetscScalar *a, *w;
  PetscScalar *b;
  PetscReal *all;
  PetscInt first, last;

  PetscFunctionBegin;
  PetscCall(MultiplyAtPoint(blp));
  PetscCall(PetscCalloc1(p + 1, &all)); /* s * u */
  PetscCall(VecGetOwnershipRange(u, &first, &last));
  PetscCall(VecGetArrayRead(u, &a));
  for (PetscInt k = first; k < last; k++) all[k] = krr->s[k] * a[k - first];
  PetscCall(VecRestoreArrayRead(u, &a));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, all, (PetscMPIInt)(p + 1), MPIU_REAL, MPIU_SUM,
                           PetscObjectComm((PetscObject)blp)));
  PetscCall(VecGetArrayRead(krr->point.w, &w));
  PetscCall(VecGetArrayWrite(y, &b));
  PetscCall(
      KRRKernelMultDirection_Private(&krr->kernel[BLP_TRAIN], all + 1, w, krr->point.Kw, krr->point.G, b));
  PetscCall(VecRestoreArrayWrite(y, &b));
  PetscCall(VecRestoreArrayRead(krr->point.w, &w));
  PetscCall(VecAXPY(y, all[0], krr->point.w));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCrossTranspose_KRR(BLP blp, Vec v, Vec g)
{
  KRR *krr = (KRR *)blp->data;
  const KRRKernel *const k = &krr->kernel[BLP_TRAIN];
  const PetscScalar *a, *w;
  PetscScalar *Kv;
  PetscReal *all;

  PetscFunctionBegin;
  PetscCall(MultiplyAtPoint(blp));
  PetscCall(PetscMalloc2(k->row->layout->n, &Kv, krr->p + 1, &all));
  PetscCall(Gather(krr, v));
  PetscCall(KRRKernelMult_Private(k, krr->all, Kv)); /* K is symmetric */
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(VecGetArrayRead(krr->point.w, &w));
  PetscCall(KRRKernelGradient_Private(k, a, w, krr->point.Kw, krr->point.G, Kv, all + 1));
  PetscCall(VecRestoreArrayRead(krr->point.w, &w));
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCall(VecDot(krr->point.w, v, &all[0]));
  PetscCall(KRRSetGradient_Private(krr, all, g));
  PetscCall(PetscFree2(Kv, all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ evaluation */

PetscErrorCode KRRMeasure_Private(const KRR *krr, const KRRSamples *samples, const PetscScalar Kw[],
                                  BLPMetrics *metrics)
{
  PetscReal sums[2] = {0, 0};

  PetscFunctionBegin;
  for (PetscInt i = 0; i < samples->layout->n; i++) {
    sums[0] += (samples->y[i] - Kw[i]) * (samples->y[i] - Kw[i]) / 2;
    sums[1] += (Kw[i] > krr->threshold) == (samples->y[i] > krr->threshold);
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, 2, MPIU_REAL, MPIU_SUM, samples->layout->comm));
  metrics->n = samples->layout->N;
  metrics->loss = metrics->n ? sums[0] / (PetscReal)metrics->n : (PetscReal)NAN;
  metrics->accuracy = krr->two && metrics->n ? sums[1] / (PetscReal)metrics->n : (PetscReal)NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPEvaluate_KRR(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  KRR *krr = (KRR *)blp->data;
  const KRRSamples *const samples = &krr->set[set];
  const PetscInt n = samples->layout->n;
  PetscScalar *Kw, *r;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n, &Kw, n, &r));
  PetscCall(KRRResiduals_Private(blp, set, lambda, w, Kw, r));
  PetscCall(KRRMeasure_Private(krr, samples, Kw, metrics));
  PetscCall(PetscFree2(Kw, r));
  if (set == BLP_TEST) PetscCall(KRRKernelReset_Private(&krr->kernel[set])); /* no level uses it */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

PetscErrorCode KRRReset_Private(BLP blp)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    PetscCall(KRRKernelReset_Private(&krr->kernel[s]));
    PetscCall(KRRSamplesDestroy_Private(&krr->set[s]));
  }
  PetscCall(VecDestroy(&krr->lambda));
  PetscCall(VecDestroy(&krr->w));
  PetscCall(PetscFree4(krr->at, krr->s, krr->all, krr->mean));
  PetscCall(PetscFree2(krr->point.Kw, krr->point.G));
  krr->seen = (TwofoldSeen){0};
  krr->bounds.computed = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Targets of two values, as 0 and 1 or -1 and 1, are two classes with a threshold half way. */
static PetscErrorCode FindThreshold(KRR *krr)
{
  const KRRSamples *const s = &krr->set[BLP_TRAIN];
  PetscReal end[2] = {PETSC_NINFINITY, PETSC_NINFINITY}; /* the largest y and -y */
  PetscBool two = PETSC_TRUE;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < s->layout->n; i++) {
    end[0] = PetscMax(end[0], s->y[i]);
    end[1] = PetscMax(end[1], -s->y[i]);
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, end, 2, MPIU_REAL, MPIU_MAX, s->layout->comm));
  for (PetscInt i = 0; i < s->layout->n; i++)
    if (s->y[i] != end[0] && s->y[i] != -end[1]) two = PETSC_FALSE;
  PetscCall(MPIU_Allreduce(&two, &krr->two, 1, MPIU_BOOL, MPI_LAND, s->layout->comm));
  krr->threshold = (end[0] - end[1]) / 2;
  if (end[0] == -end[1]) krr->two = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The sets as dense samples, and their kernels with the training samples. */
static PetscErrorCode SetUpSamples(BLP blp)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) { /* the training samples first */
    if (!blp->set[s]) continue;
    PetscCall(KRRSamplesCreate_Private(blp->set[s], &krr->set[s]));
    PetscCall(DataSetDestroy(&blp->set[s]));
    if (s == BLP_TRAIN) PetscCall(KRRSamplesMean_Private(&krr->set[s], krr->mean));
    KRRSamplesShift_Private(krr->mean, &krr->set[s]);
  }
  for (int s = 0; s < 3; s++) {
    krr->kernel[s].row = &krr->set[s];
    krr->kernel[s].column = &krr->set[BLP_TRAIN];
    krr->kernel[s].square = (PetscBool)(s == BLP_TRAIN);
    krr->kernel[s].gamma = krr->at + 1;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRLayOut_Private(BLP blp, PetscInt nlocal)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  blp->nlambda = krr->p + 1;
  PetscCall(
      PetscMalloc4(krr->p + 1, &krr->at, krr->p + 1, &krr->s, blp->nw, &krr->all, krr->p + 1, &krr->mean));
  PetscCall(VecCreate(comm, &krr->lambda));
  PetscCall(VecSetSizes(krr->lambda, PETSC_DECIDE, blp->nlambda));
  PetscCall(VecSetFromOptions(krr->lambda));
  PetscCall(VecCreate(comm, &krr->w));
  PetscCall(VecSetSizes(krr->w, nlocal, blp->nw));
  PetscCall(VecSetFromOptions(krr->w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetUp_KRR(BLP blp)
{
  KRR *krr = (KRR *)blp->data;
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(KRRReset_Private(blp));
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], &blp->nw, &krr->p, NULL));
  PetscCall(DataSetGetRows(blp->set[BLP_TRAIN], &nlocal, NULL, NULL, NULL, NULL));
  PetscCall(KRRLayOut_Private(blp, nlocal));
  PetscCall(PetscMalloc2(nlocal, &krr->point.Kw, (size_t)nlocal * krr->p, &krr->point.G));
  PetscCall(SetUpSamples(blp));
  PetscCall(FindThreshold(krr));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPCreateVecs_KRR(BLP blp, Vec *lambda, Vec *w)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(krr->lambda, lambda));
  if (w) PetscCall(VecDuplicate(krr->w, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* beta = 1 and gamma_k = 1 / p, with which the kernel of scaled features is neither flat nor the identity.
   The vector alone tells p, since it may be that of folds. */
static PetscErrorCode BLPStart_KRR(BLP blp, Vec lambda)
{
  const KRR *krr = (KRR *)blp->data;
  PetscInt n, first, last;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetSize(lambda, &n));
  PetscCall(VecGetOwnershipRange(lambda, &first, &last));
  PetscCall(VecGetArrayWrite(lambda, &a));
  for (PetscInt k = first; k < last; k++) {
    const PetscReal value = k ? 1 / (PetscReal)(n - 1) : 1;
    a[k - first] = krr->parameters == KRR_EXP ? PetscLogReal(value) : value;
  }
  PetscCall(VecRestoreArrayWrite(lambda, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetFromOptions_KRR(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscOptionsEnum("-blp_krr_parameters", "lambda is (beta, gamma), or their logarithms", "BLPKRR",
                             parameters, (PetscEnum)krr->parameters, (PetscEnum *)&krr->parameters, NULL));
  krr->seen = (TwofoldSeen){0};
  blp->positive = (PetscBool)(krr->parameters == KRR_RAW);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_KRR(BLP blp, PetscViewer viewer)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  PetscCall(
      PetscViewerASCIIPrintf(viewer, "features %" PetscInt_FMT ", lambda: %s\n", krr->p,
                             krr->parameters == KRR_EXP ? "logarithms of beta and gamma" : "beta and gamma"));
  for (int s = 0; s < 3; s++)
    if (krr->set[s].layout)
      PetscCall(PetscViewerASCIIPrintf(viewer, "%s: %" PetscInt_FMT " samples\n", BLPSets[s],
                                       krr->set[s].layout->N));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_KRR(BLP blp, PetscLogDouble *bytes)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    PetscLogDouble part;
    if (!krr->set[s].layout) continue;
    PetscCall(KRRKernelGetMemory_Private(&krr->kernel[s], &part));
    *bytes += part + (PetscLogDouble)krr->set[s].layout->n * (krr->p + 1) * sizeof(PetscReal);
  }
  *bytes += ((PetscLogDouble)krr->set[BLP_TRAIN].layout->n * (krr->p + 1) + blp->nw) * sizeof(PetscScalar) +
            2.0 * (krr->p + 1) * sizeof(PetscReal);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_KRR(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(KRRReset_Private(blp));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_KRR(BLP blp)
{
  KRR *krr;

  PetscFunctionBegin;
  PetscCall(PetscNew(&krr));
  blp->data = krr;
  krr->parameters = KRR_EXP;
  blp->needs_samples = blp->targets = blp->lambda_predicts = PETSC_TRUE;
  blp->nsynthetic[BLP_TRAIN] = blp->nsynthetic[BLP_VAL] = 100;
  blp->synthetic.p = 20;
  blp->ops->setfromoptions = BLPSetFromOptions_KRR;
  blp->ops->setup = BLPSetUp_KRR;
  blp->ops->view = BLPView_KRR;
  blp->ops->destroy = BLPDestroy_KRR;
  blp->ops->createvecs = BLPCreateVecs_KRR;
  blp->ops->start = BLPStart_KRR;
  blp->ops->upper = BLPUpper_KRR;
  blp->ops->lossgradient = BLPLossGradient_KRR;
  blp->ops->losslinearize = BLPLossLinearize_KRR;
  blp->ops->losshessian = BLPLossHessian_KRR;
  blp->ops->losshessiandiagonal = BLPLossHessianDiagonal_KRR;
  blp->ops->losscross = BLPLossCross_KRR;
  blp->ops->losscrosstranspose = BLPLossCrossTranspose_KRR;
  blp->ops->strongconvexity = BLPStrongConvexity_KRR;
  blp->ops->smoothness = BLPSmoothness_KRR;
  blp->ops->strongconvexitygradient = BLPStrongConvexityGradient_KRR;
  blp->ops->smoothnessgradient = BLPSmoothnessGradient_KRR;
  blp->ops->losslipschitz = BLPLossLipschitz_KRR;
  blp->ops->evaluate = BLPEvaluate_KRR;
  blp->ops->memory = BLPGetMemory_KRR;
  blp->ops->savemodel = BLPSaveModel_KRR;
  blp->ops->loadmodel = BLPLoadModel_KRR;
  blp->ops->predict = BLPPredict_KRR;
  PetscFunctionReturn(PETSC_SUCCESS);
}
