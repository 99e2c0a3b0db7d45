/*
  Both levels of classifiers of fixed points: equilibrium, and convequilibrium. Each sample has a state w_i of
  h numbers, a layer without end:

    w_i = tanh(A w_i + B x_i + c)                                                        (training samples)
    E(w, lambda) = 1/n sum_i CE(y_i, theta w_i)                                  (the same training samples)

  lambda = (A, B, c, theta), theta k x h for k classes, row by row; w has n h numbers, sample after sample. A
  and B are linear maps that the layer knows: matrices, or convolutions, when c has an entry for a channel.
  The states do not see one another, so that samples are dealt out to the ranks and lambda, which is small
  beside them, is gathered on every rank once for each lambda. With W, X of a column a sample and D = 1 -
  Phi(W)^2 by entries (*: by entries),

    Phi(W)         = tanh(A W + B X + c)
    d1Phi V        = D * (A V),          d1Phi^T V = A^T (D * V)
    d2Phi u        = D * (dA W + dB X + dc),   u = (dA, dB, dc, dtheta)
    d2Phi^T V      = (U W^T, U X^T, U 1, 0),   U = D * V; in a sum over several points X^T multiplies the
                     sum of the U
    grad1 E        = theta^T R,          grad2 E = (0, 0, 0, R W^T),     R = (softmax(theta W) - Y) / n

  all of them products of matrices. B X + c is kept until lambda changes, so that a step costs a product with
  A, and one reduction, whether lambda has changed. d1Phi is not symmetric; ||d1Phi|| <= ||A||, and where
  ||A|| < 1 there is one fixed point. Validation, test and new samples have states of their own, those after a
  fixed number of steps from 0.
*/
#include "equilibrium.h"

/* ------------------------------------------------------------------ lambda */

/* all = all entries of x, of lambda's space. */
static PetscErrorCode Gather(const Equilibrium *eq, Vec x, PetscReal all[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)x);
  const PetscScalar *a;
  PetscMPIInt rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(VecGetArrayRead(x, &a));
  PetscCallMPI(MPI_Allgatherv(a, eq->count[rank], MPIU_REAL, all, eq->count, eq->first, MPIU_REAL, comm));
  PetscCall(VecRestoreArrayRead(x, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g = the sum of all ranks' parts. */
static PetscErrorCode Collect(const Equilibrium *eq, const PetscReal part[], Vec g)
{
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetArrayWrite(g, &a));
  PetscCallMPI(MPI_Reduce_scatter(part, a, eq->count, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)g)));
  PetscCall(VecRestoreArrayWrite(g, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumEnter_Private(Equilibrium *eq, Vec lambda)
{
  PetscBool changed;

  PetscFunctionBegin;
  PetscCall(TwofoldHasChanged(1, &lambda, &eq->seen, &changed));
  if (!changed) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Gather(eq, lambda, eq->all));
  PetscCall(TwofoldSee(lambda, &eq->seen));
  eq->change++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

PetscErrorCode EquilibriumOutputs_Private(const Equilibrium *eq, const EquilibriumSamples *s,
                                          const PetscReal w[], FeatureMatRows rows, CrossEntropy *out,
                                          PetscReal z[])
{
  const PetscInt n = s->layout->n, h = eq->h, c = eq->c;

  PetscFunctionBegin;
  out->c = c;
  out->label = s->label;
  out->n = (PetscReal)s->layout->N;
  PetscCall(
      EquilibriumGemm_Private("T", "N", c, n, h, EquilibriumTheta_Private(eq, eq->all), h, w, h, 0, z, c));
  PetscCall((*rows)(out, 0, n, z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g1 = theta^T R */
static PetscErrorCode StateGradient(const Equilibrium *eq, PetscInt n, const PetscReal R[], Vec g1)
{
  PetscScalar *g;

  PetscFunctionBegin;
  PetscCall(VecGetArrayWrite(g1, &g));
  PetscCall(EquilibriumGemm_Private("N", "N", eq->h, n, eq->c, EquilibriumTheta_Private(eq, eq->all), eq->h,
                                    R, eq->c, 0, g, eq->h));
  PetscCall(VecRestoreArrayWrite(g1, &g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g2 = (0, 0, 0, R W^T) */
static PetscErrorCode ClassifierGradient(const Equilibrium *eq, PetscInt n, const PetscReal w[],
                                         const PetscReal R[], Vec g2)
{
  PetscReal *const theta = eq->part + (EquilibriumTheta_Private(eq, eq->all) - eq->all);

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(eq->part, theta - eq->part));
  PetscCall(EquilibriumGemm_Private("N", "T", eq->h, eq->c, n, w, eq->h, R, eq->c, 0, theta, eq->h));
  PetscCall(Collect(eq, eq->part, g2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPUpper_Equilibrium(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const EquilibriumSamples *const s = &eq->set[BLP_TRAIN];
  const PetscInt n = s->layout->n;
  CrossEntropy out = {.count = PETSC_FALSE};
  const PetscScalar *a;
  PetscReal *R;

  PetscFunctionBegin;
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  PetscCall(PetscMalloc1((size_t)n * (size_t)eq->c + 1, &R));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(EquilibriumOutputs_Private(
      eq, s, a, g1 || g2 ? CrossEntropyGradientRows : CrossEntropySoftmaxRows, &out, R));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &out.loss, 1, MPIU_REAL, MPIU_SUM, s->layout->comm));
  *E = out.loss / out.n;
  if (g1) PetscCall(StateGradient(eq, n, R, g1));
  if (g2) PetscCall(ClassifierGradient(eq, n, a, R, g2));
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscCall(PetscFree(R));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapApply_Equilibrium(BLP blp, Vec lambda, Vec w, Vec y)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  EquilibriumSamples *const s = &eq->set[BLP_TRAIN];
  const PetscScalar *a;
  PetscScalar *b;

  PetscFunctionBegin;
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(VecGetArrayWrite(y, &b));
  PetscCall(EquilibriumStep_Private(eq, s, a, b));
  PetscCall(VecRestoreArrayWrite(y, &b));
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapSteps_Equilibrium(BLP blp, Vec lambda, PetscInt n, Vec w)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  PetscCall(VecGetArray(w, &a));
  PetscCall(EquilibriumSteps_Private(eq, &eq->set[BLP_TRAIN], n, a));
  PetscCall(VecRestoreArray(w, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapAdjointSteps_Equilibrium(BLP blp, Vec b, PetscInt n, Vec v)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const PetscScalar *rhs;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(b, &rhs));
  PetscCall(VecGetArray(v, &a));
  PetscCall(EquilibriumAdjointSteps_Private(eq, eq->set[BLP_TRAIN].layout->n, rhs, n, a));
  PetscCall(VecRestoreArray(v, &a));
  PetscCall(VecRestoreArrayRead(b, &rhs));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapNormalStep_Equilibrium(BLP blp, BLPNormalStep *step, Vec v, Vec r, Vec p, Vec z)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  Vec x[] = {v, r, p, z};
  PetscScalar *a[4];

  PetscFunctionBegin;
  for (int i = 0; i < 4; i++) PetscCall(VecGetArray(x[i], &a[i]));
  PetscCall(EquilibriumNormalStep_Private(eq, eq->set[BLP_TRAIN].layout->n, step, a[0], a[1], a[2], a[3]));
  for (int i = 0; i < 4; i++) PetscCall(VecRestoreArray(x[i], &a[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapLinearize_Equilibrium(BLP blp, Vec lambda, Vec w)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(EquilibriumSlope_Private(eq, &eq->set[BLP_TRAIN], a, eq->at.D));
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscCall(PetscArraycpy(eq->at.A, eq->all, eq->nA));
  eq->at.w = w;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode
Product(BLP blp, PetscErrorCode (*product)(Equilibrium *, PetscInt, const PetscReal *, PetscReal *), Vec v,
        Vec y)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const PetscScalar *a;
  PetscScalar *b;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(VecGetArrayWrite(y, &b));
  PetscCall((*product)(eq, eq->set[BLP_TRAIN].layout->n, a, b));
  PetscCall(VecRestoreArrayWrite(y, &b));
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapJVP_Equilibrium(BLP blp, Vec v, Vec y)
{
  return Product(blp, EquilibriumMult_Private, v, y);
}

static PetscErrorCode BLPMapVJP_Equilibrium(BLP blp, Vec v, Vec y)
{
  return Product(blp, EquilibriumMultTranspose_Private, v, y);
}

static PetscErrorCode BLPMapParameterJVP_Equilibrium(BLP blp, Vec u, Vec y)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const EquilibriumSamples *const s = &eq->set[BLP_TRAIN];
  const PetscInt n = s->layout->n;
  const PetscReal *const d = eq->part;
  const PetscScalar *w;
  PetscScalar *b;

  PetscFunctionBegin;
  PetscCall(Gather(eq, u, eq->part));
  PetscCall(VecGetArrayRead(eq->at.w, &w));
  PetscCall(VecGetArrayWrite(y, &b));
  PetscCall(EquilibriumSpread_Private(eq, n, EquilibriumShift_Private(eq, d), b));
  PetscCall((*eq->layer->A)(eq, n, d, w, 1, b));
  PetscCall((*eq->layer->B)(eq, n, EquilibriumB_Private(eq, d), s->x, 1, b));
  for (PetscInt k = 0; k < n * eq->h; k++) b[k] *= eq->at.D[k];
  PetscCall(VecRestoreArrayWrite(y, &b));
  PetscCall(VecRestoreArrayRead(eq->at.w, &w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* U <- D * v, and its sum over what c is added to. */
static PetscErrorCode Weigh(const Equilibrium *eq, PetscInt n, Vec v, PetscReal U[], PetscReal sum[])
{
  const PetscInt nc = eq->nc;
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(sum, nc));
  PetscCall(VecGetArrayRead(v, &a));
  for (PetscInt i = 0; i < n * (eq->h / nc); i++) {
    const size_t at = (size_t)i * (size_t)nc;
    for (PetscInt k = 0; k < nc; k++) {
      U[at + k] = eq->at.D[at + k] * a[at + k];
      sum[k] += U[at + k];
    }
  }
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCall(PetscLogFlops(2.0 * (double)n * (double)eq->h));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapParameterVJP_Equilibrium(BLP blp, Vec v, Vec g)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const EquilibriumSamples *const s = &eq->set[BLP_TRAIN];
  const PetscInt n = s->layout->n;
  PetscReal *const gA = eq->part, *const gB = gA + eq->nA, *const gc = gB + eq->nB;
  const PetscScalar *w;

  PetscFunctionBegin;
  PetscCall(Weigh(eq, n, v, eq->work, gc));
  PetscCall(VecGetArrayRead(eq->at.w, &w));
  PetscCall((*eq->layer->gradient)(eq, n, w, s->x, eq->work, gA, gB));
  PetscCall(VecRestoreArrayRead(eq->at.w, &w));
  PetscCall(PetscArrayzero(gc + eq->nc, (size_t)eq->c * (size_t)eq->h));
  PetscCall(Collect(eq, eq->part, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapParameterSum_Equilibrium(BLP blp, Vec v)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const PetscInt n = eq->set[BLP_TRAIN].layout->n;
  PetscReal *const gA = eq->part, *const gc = eq->part + eq->nA + eq->nB;
  const PetscScalar *w;

  PetscFunctionBegin;
  if (!eq->sumU)
    PetscCall(PetscCalloc2((size_t)n * (size_t)eq->h + 1, &eq->sumU, eq->nA + eq->nc, &eq->sumA));
  PetscCall(Weigh(eq, n, v, eq->work, gc));
  PetscCall(VecGetArrayRead(eq->at.w, &w));
  PetscCall((*eq->layer->gradient)(eq, n, w, NULL, eq->work, gA, NULL));
  PetscCall(VecRestoreArrayRead(eq->at.w, &w));
  for (PetscInt k = 0; k < eq->nA; k++) eq->sumA[k] += gA[k];
  for (PetscInt k = 0; k < eq->nc; k++) eq->sumA[eq->nA + k] += gc[k];
  for (PetscInt k = 0; k < n * eq->h; k++) eq->sumU[k] += eq->work[k];
  PetscCall(PetscLogFlops((double)n * (double)eq->h));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapParameterTakeSum_Equilibrium(BLP blp, Vec g)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const EquilibriumSamples *const s = &eq->set[BLP_TRAIN];
  const PetscInt n = s->layout->n;
  PetscReal *const gA = eq->part, *const gB = gA + eq->nA, *const gc = gB + eq->nB;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(eq->part, blp->nlambda));
  if (eq->sumU) {
    PetscCall((*eq->layer->gradient)(eq, n, NULL, s->x, eq->sumU, NULL, gB));
    PetscCall(PetscArraycpy(gA, eq->sumA, eq->nA));
    PetscCall(PetscArraycpy(gc, eq->sumA + eq->nA, eq->nc));
    PetscCall(PetscArrayzero(eq->sumU, (size_t)n * (size_t)eq->h));
    PetscCall(PetscArrayzero(eq->sumA, eq->nA + eq->nc));
  }
  PetscCall(Collect(eq, eq->part, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The training samples' states are w; other samples have their own. */
static PetscErrorCode BLPEvaluate_Equilibrium(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  EquilibriumSamples *const s = &eq->set[set];
  const PetscScalar *a = NULL;
  PetscReal *Z;

  PetscFunctionBegin;
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  PetscCall(PetscMalloc1((size_t)s->layout->n * (size_t)eq->c + 1, &Z));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(EquilibriumMeasure_Private(eq, s, set == BLP_TRAIN ? a : NULL, Z, metrics));
  PetscCall(VecRestoreArrayRead(w, &a));
  if (set != BLP_TRAIN) PetscCall(PetscFree(s->drive)); /* no level uses it */
  if (set != BLP_TRAIN) s->change = 0;
  PetscCall(PetscFree(Z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ spaces */

PetscErrorCode EquilibriumReset_Private(BLP blp)
{
  Equilibrium *eq = (Equilibrium *)blp->data;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) PetscCall(EquilibriumSamplesDestroy_Private(&eq->set[s]));
  PetscCall(VecDestroy(&eq->lambda));
  PetscCall(VecDestroy(&eq->w));
  PetscCall(PetscFree2(eq->count, eq->first));
  PetscCall(PetscFree4(eq->all, eq->part, eq->few[0], eq->few[1]));
  PetscCall(PetscFree3(eq->work, eq->at.A, eq->at.D));
  PetscCall(PetscFree2(eq->sumU, eq->sumA));
  PetscCall(PetscFree(eq->cell));
  if (eq->layer->reset) PetscCall((*eq->layer->reset)(eq));
  eq->seen = (TwofoldSeen){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The ranks' pieces of lambda, as MPI wants them. */
static PetscErrorCode FindPieces(Equilibrium *eq, MPI_Comm comm)
{
  const PetscInt *range;
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(VecGetOwnershipRanges(eq->lambda, &range));
  PetscCall(PetscMalloc2(size, &eq->count, size, &eq->first));
  for (PetscMPIInt r = 0; r < size; r++) {
    PetscCall(PetscMPIIntCast(range[r], &eq->first[r]));
    PetscCall(PetscMPIIntCast(range[r + 1] - range[r], &eq->count[r]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumLayOut_Private(BLP blp, PetscInt nlocal, PetscInt n)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  Equilibrium *eq = (Equilibrium *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscIntMultError(eq->c, eq->h, &blp->nlambda));
  PetscCall(PetscIntSumError(blp->nlambda, eq->nA, &blp->nlambda));
  PetscCall(PetscIntSumError(blp->nlambda, eq->nB, &blp->nlambda));
  PetscCall(PetscIntSumError(blp->nlambda, eq->nc, &blp->nlambda));
  PetscCall(PetscIntMultError(n, eq->h, &blp->nw));
  if (eq->layer->is_matrix) blp->matrix[1] = blp->matrix[2] = eq->h; /* from entry 0 on */
  PetscCall(VecCreate(comm, &eq->lambda));
  PetscCall(VecSetSizes(eq->lambda, PETSC_DECIDE, blp->nlambda));
  PetscCall(VecSetFromOptions(eq->lambda));
  PetscCall(VecCreate(comm, &eq->w));
  PetscCall(VecSetSizes(eq->w, nlocal * eq->h, blp->nw));
  PetscCall(VecSetBlockSize(eq->w, eq->h));
  PetscCall(VecSetFromOptions(eq->w));
  PetscCall(FindPieces(eq, comm));
  const size_t few = (size_t)eq->nfew * (size_t)eq->h;
  PetscCall(
      PetscMalloc4(blp->nlambda, &eq->all, blp->nlambda, &eq->part, few, &eq->few[0], few, &eq->few[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

static PetscErrorCode BLPSetUp_Equilibrium(BLP blp)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  PetscInt n, features;

  PetscFunctionBegin;
  PetscCheck(!blp->is_fold, comm, PETSC_ERR_ARG_INCOMP,
             "-blp_folds: the upper level of problem %s is over the training samples themselves, which "
             "folds would leave without validation: use -blp_train FILE and -blp_test FILE",
             eq->layer->type);
  PetscCall(EquilibriumReset_Private(blp));
  PetscCall(DataSetGetSizes(blp->set[BLP_TRAIN], &n, &features, &eq->c));
  PetscCall((*eq->layer->setup)(blp, eq, features));
  for (int s = 0; s < 3; s++) {
    if (!blp->set[s]) continue;
    PetscCall(EquilibriumSamplesCreate_Private(eq, blp->set[s], &eq->set[s]));
    PetscCall(DataSetDestroy(&blp->set[s])); /* before the next set becomes dense */
  }
  const PetscInt nlocal = eq->set[BLP_TRAIN].layout->n;
  PetscCall(EquilibriumLayOut_Private(blp, nlocal, n));
  PetscCall(PetscMalloc3((size_t)nlocal * (size_t)eq->h + 1, &eq->work, eq->nA, &eq->at.A,
                         (size_t)nlocal * (size_t)eq->h + 1, &eq->at.D));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPCreateVecs_Equilibrium(BLP blp, Vec *lambda, Vec *w)
{
  Equilibrium *eq = (Equilibrium *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(eq->lambda, lambda));
  if (w) PetscCall(VecDuplicate(eq->w, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPStart_Equilibrium(BLP blp, Vec lambda)
{
  const Equilibrium *eq = (Equilibrium *)blp->data;

  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(lambda, (PetscInt64)16 * eq->seed + 10)); /* not a key of data */
  PetscCall(VecScale(lambda, eq->size));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumOption_Private(BLP blp, PetscOptionItems *PetscOptionsObject, const char name[],
                                         const char text[], PetscInt *value)
{
  const Equilibrium *eq = (Equilibrium *)blp->data;
  char option[64];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(option, sizeof(option), "-blp_%s_%s", eq->layer->type, name));
  PetscCall(PetscOptionsInt(option, text, eq->layer->constant, *value, value, NULL));
  PetscCheck(*value >= 1, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_OUTOFRANGE,
             "%s %" PetscInt_FMT ": must be at least 1", option, *value);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumSetFromOptions_Private(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  char option[64];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(option, sizeof(option), "-blp_%s_seed", eq->layer->type));
  PetscCall(PetscOptionsInt(option, "Key of the random starting lambda", eq->layer->constant, eq->seed,
                            &eq->seed, NULL));
  PetscCall(PetscSNPrintf(option, sizeof(option), "-blp_%s_start", eq->layer->type));
  PetscCall(PetscOptionsReal(option, "Standard deviation of the starting lambda", eq->layer->constant,
                             eq->size, &eq->size, NULL));
  PetscCheck(eq->size >= 0 && !PetscIsInfReal(eq->size), PetscObjectComm((PetscObject)blp),
             PETSC_ERR_ARG_OUTOFRANGE, "%s %g: must be finite and not negative", option, (double)eq->size);
  PetscCall(EquilibriumOption_Private(blp, PetscOptionsObject, "it",
                                      "Steps to the states of other samples than training ones", &eq->steps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumView_Private(BLP blp, PetscViewer viewer)
{
  const Equilibrium *eq = (Equilibrium *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "features %" PetscInt_FMT ", classes %" PetscInt_FMT ", states of size %" PetscInt_FMT "\n",
      eq->p, eq->c, eq->h));
  for (int s = 0; s < 3; s++)
    if (eq->set[s].layout)
      PetscCall(PetscViewerASCIIPrintf(viewer, "%s: %" PetscInt_FMT " samples\n", BLPSets[s],
                                       eq->set[s].layout->N));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_Equilibrium(BLP blp, PetscLogDouble *bytes)
{
  const Equilibrium *eq = (Equilibrium *)blp->data;
  const PetscLogDouble h = (PetscLogDouble)eq->h;
  PetscInt n;

  PetscFunctionBegin;
  for (int s = 0; s < 3; s++) {
    if (!eq->set[s].layout) continue;
    const PetscLogDouble local = (PetscLogDouble)eq->set[s].layout->n;
    *bytes += local * ((PetscLogDouble)eq->p * sizeof(PetscReal) + sizeof(PetscInt));
    if (s == BLP_TRAIN) *bytes += local * 4 * h * sizeof(PetscReal); /* drive, work, D and w's template */
    if (s == BLP_TRAIN && eq->sumU) *bytes += (local * h + eq->nA + eq->nc) * sizeof(PetscReal);
  }
  PetscCall(VecGetLocalSize(eq->lambda, &n));
  *bytes += (2 * (PetscLogDouble)blp->nlambda + n + eq->nA + eq->nwork + 2 * (PetscLogDouble)eq->nfew * h) *
            sizeof(PetscReal);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_Equilibrium(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(EquilibriumReset_Private(blp));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumCreate_Private(BLP blp, const EquilibriumLayer *layer, Equilibrium *eq)
{
  PetscFunctionBegin;
  eq->layer = layer;
  eq->steps = 20;
  eq->size = 0.01;
  eq->share = 1;
  blp->data = eq;
  blp->needs_samples = PETSC_TRUE;
  blp->upper_by_training = PETSC_TRUE;
  blp->lambda_predicts = PETSC_TRUE;
  blp->map_symmetric = PETSC_FALSE;
  blp->ops->setup = BLPSetUp_Equilibrium;
  blp->ops->view = EquilibriumView_Private;
  blp->ops->destroy = BLPDestroy_Equilibrium;
  blp->ops->createvecs = BLPCreateVecs_Equilibrium;
  blp->ops->start = BLPStart_Equilibrium;
  blp->ops->upper = BLPUpper_Equilibrium;
  blp->ops->mapapply = BLPMapApply_Equilibrium;
  blp->ops->mapsteps = BLPMapSteps_Equilibrium;
  blp->ops->mapadjointsteps = BLPMapAdjointSteps_Equilibrium;
  blp->ops->mapnormalstep = BLPMapNormalStep_Equilibrium;
  blp->ops->maplinearize = BLPMapLinearize_Equilibrium;
  blp->ops->mapjvp = BLPMapJVP_Equilibrium;
  blp->ops->mapvjp = BLPMapVJP_Equilibrium;
  blp->ops->mapparameterjvp = BLPMapParameterJVP_Equilibrium;
  blp->ops->mapparametervjp = BLPMapParameterVJP_Equilibrium;
  blp->ops->mapparametersum = BLPMapParameterSum_Equilibrium;
  blp->ops->mapparametertakesum = BLPMapParameterTakeSum_Equilibrium;
  blp->ops->diagnose = BLPDiagnose_Equilibrium;
  blp->diagnostics = EquilibriumDiagnostics;
  blp->ops->contraction = BLPContraction_Equilibrium;
  blp->ops->maplipschitz = BLPMapLipschitz_Equilibrium;
  blp->ops->evaluate = BLPEvaluate_Equilibrium;
  blp->ops->memory = BLPGetMemory_Equilibrium;
  blp->ops->savemodel = BLPSaveModel_Equilibrium;
  blp->ops->loadmodel = BLPLoadModel_Equilibrium;
  blp->ops->predict = BLPPredict_Equilibrium;
  PetscFunctionReturn(PETSC_SUCCESS);
}
