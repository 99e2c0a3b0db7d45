/* Sweeps of losses sum_i phi_i(x_i W) + <W, D W> / 2, written once for all problems that fill a BLPLinear. */
#include <twofold/blpsweep.h>
#include <twofold/impl/blpimpl.h>

PetscErrorCode BLPCanSweep(BLP blp, PetscBool *can)
{
  PetscFunctionBegin;
  *can = FeatureMatCanSweep_Private(blp->linear.X);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPPrefersSweep(BLP blp, PetscBool *prefers)
{
  PetscFunctionBegin;
  PetscCall(BLPCanSweep(blp, prefers));
  if (*prefers) *prefers = (PetscBool)!blp->linear.X->one_pass;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetFeatureMat(BLP blp, BLPSet set, FeatureMat *X)
{
  PetscFunctionBegin;
  *X = set == BLP_TRAIN ? blp->linear.X : set == BLP_VAL ? blp->linear.Xval : NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPResetSweep_Private(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&blp->linear.R));
  PetscCall(VecDestroy(&blp->linear.Zp));
  PetscCall(PetscFree(blp->linear.cross));
  blp->linear = (BLPLinear){0};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Check(BLP blp, PetscBool linearized)
{
  BLPLinear *linear = &blp->linear;

  PetscFunctionBegin;
  PetscCheck(FeatureMatCanSweep_Private(linear->X), PetscObjectComm((PetscObject)blp), PETSC_ERR_SUP,
             "the %s problem has no sweeps with its kernels: ask BLPCanSweep() first",
             ((PetscObject)blp)->type_name);
  PetscCheck(blp->linearized || !linearized, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONGSTATE,
             "BLPLossLinearize() first");
  if (!linear->R) PetscCall(FeatureMatCreateVecs(linear->X, NULL, &linear->R));
  if (!linear->Zp) PetscCall(VecDuplicate(linear->R, &linear->Zp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static FeatureMatDiagonal Diagonal(BLP blp)
{
  return (FeatureMatDiagonal){blp->linear.weight, blp->linear.share};
}

/* R <- X q */
static PetscErrorCode Product(BLP blp, const BLPSweep *sweep, Vec A, Vec B)
{
  const BLPLinear *linear = &blp->linear;

  PetscFunctionBegin;
  PetscCall(FeatureMatMult(linear->X, A, linear->R));
  if (!sweep->ahead) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecScale(linear->R, sweep->a));
  if (!B) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FeatureMatMult(linear->X, B, linear->Zp));
  PetscCall(VecAXPY(linear->R, sweep->b, linear->Zp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sum - 1, without the rounding of a sum that is to be 1. */
static PetscReal Excess(PetscReal sum)
{
  return PetscAbsReal(sum - 1) <= 4 * PETSC_MACHINE_EPSILON ? 0 : sum - 1;
}

/* The norms of what moved, from their squares; NULL is left alone. */
static void TakeRoots(PetscReal moved[2])
{
  if (!moved) return;
  moved[0] = PetscSqrtReal(moved[0]);
  moved[1] = PetscSqrtReal(moved[1]);
}

PetscErrorCode BLPLossSweep(BLP blp, Vec lambda, const BLPSweep *sweep, Vec A, Vec B, Vec y,
                            PetscReal moved[2])
{
  const FeatureMatUpdate update = {.keep = 1,
                                   .a0 = Excess(sweep->a + sweep->b),
                                   .e = -sweep->b,
                                   .a1 = -sweep->step * (sweep->ahead ? sweep->a : 1),
                                   .b1 = sweep->ahead ? -sweep->step * sweep->b : 0,
                                   .s = -sweep->step};
  Vec own;

  PetscFunctionBegin;
  PetscCall(Check(blp, PETSC_FALSE));
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscCall(PetscLogEventBegin(TWOFOLD_LossGradient, blp, lambda, A, y));
  PetscCall((*blp->linear.weights)(blp, own));
  PetscCall(Product(blp, sweep, A, B));
  PetscCall((*blp->linear.slope)(blp, blp->linear.R));
  PetscCall(FeatureMatSweep_Private(blp->linear.X, Diagonal(blp), &update, blp->linear.R, A, B, y,
                                    sweep->known, NULL, moved));
  PetscCall(PetscLogEventEnd(TWOFOLD_LossGradient, blp, lambda, A, y));
  TakeRoots(moved);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A step of which it is asked how far it goes is made from A, else from a A. */
static FeatureMatUpdate HessianUpdate(const BLPSweep *sweep, PetscBool moves)
{
  FeatureMatUpdate update = {.keep = sweep->a, .b0 = sweep->b, .a1 = -sweep->step, .s = -sweep->step};

  if (moves)
    update = (FeatureMatUpdate){
        .keep = 1, .a0 = Excess(sweep->a + sweep->b), .e = -sweep->b, .a1 = -sweep->step, .s = -sweep->step};
  return update;
}

static PetscErrorCode HessianSweep(BLP blp, const BLPSweep *sweep, Vec A, Vec B, Vec y,
                                   const FeatureMatBeside *beside, PetscReal moved[2])
{
  FeatureMatUpdate update = HessianUpdate(sweep, (PetscBool)(moved != NULL));

  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_LossHessian, blp, A, y, 0));
  PetscCall((*blp->linear.weights)(blp, blp->point[0])); /* others may have asked at another lambda since */
  PetscCall(FeatureMatMult(blp->linear.X, A, blp->linear.R));
  PetscCall((*blp->linear.curvature)(blp, blp->linear.R));
  if (sweep->plus) PetscCall(VecGetArrayRead(sweep->plus, &update.plus));
  PetscCall(FeatureMatSweep_Private(blp->linear.X, Diagonal(blp), &update, blp->linear.R, A, B, y,
                                    sweep->known, beside, moved));
  if (sweep->plus) PetscCall(VecRestoreArrayRead(sweep->plus, &update.plus));
  PetscCall(PetscLogEventEnd(TWOFOLD_LossHessian, blp, A, y, 0));
  TakeRoots(moved);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossHessianSweep(BLP blp, const BLPSweep *sweep, Vec A, Vec B, Vec y, PetscReal moved[2])
{
  PetscFunctionBegin;
  PetscCall(Check(blp, PETSC_TRUE));
  PetscCall(HessianSweep(blp, sweep, A, B, y, NULL, moved));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Room for a number a weight of this rank's w: a bias has one that no lambda is behind. */
static PetscErrorCode AllocateCross(BLP blp, Vec w)
{
  BLPLinear *linear = &blp->linear;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(w, &n));
  if (!linear->cross) PetscCall(PetscMalloc1(n / linear->share + 1, &linear->cross));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From sums over the entries of each weight to the derivative in lambda. */
static PetscErrorCode Differentiate(BLP blp, Vec g)
{
  const BLPLinear *linear = &blp->linear;
  const Vec own = BLPTieOwn_Private(blp, g);
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(own, &n));
  PetscCall(VecGetArrayWrite(own, &a));
  for (PetscInt j = 0; j < n; j++) a[j] = (linear->rate ? linear->rate[j] : 1) * linear->cross[j];
  PetscCall(VecRestoreArrayWrite(own, &a));
  PetscCall(BLPTieResult_Private(blp, own, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossReverseSweep(BLP blp, const BLPSweep *sweep, Vec A, Vec B, Vec y, Vec x, Vec g)
{
  PetscFunctionBegin;
  PetscCall(Check(blp, PETSC_TRUE));
  PetscCall(AllocateCross(blp, y));
  const FeatureMatBeside beside = {x, blp->linear.cross};
  PetscCall(HessianSweep(blp, sweep, A, B, y, &beside, NULL));
  PetscCall(Differentiate(blp, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ conjugate gradients */

/* <v, v> and <v, D v> */
static PetscErrorCode Squares(BLP blp, Vec v, PetscReal sums[2])
{
  const BLPLinear *linear = &blp->linear;
  const PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  sums[0] = sums[1] = 0;
  PetscCall(VecGetLocalSize(v, &n));
  PetscCall(VecGetArrayRead(v, &a));
  for (PetscInt j = 0; j < n; j += linear->share) {
    PetscReal square = 0;
    for (PetscInt k = j; k < j + linear->share; k++) square += a[k] * a[k];
    sums[0] += square;
    sums[1] += linear->weight[j / linear->share] * square;
  }
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, 2, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossSweepCGBegin(BLP blp, PetscReal s, Vec r, Vec p, BLPSweepCG *cg)
{
  PetscReal sums[2];

  PetscFunctionBegin;
  PetscCall(Check(blp, PETSC_TRUE));
  PetscCall((*blp->linear.weights)(blp, blp->point[0]));
  PetscCall(Squares(blp, r, sums));
  PetscCall(VecZeroEntries(p));
  PetscCall(VecZeroEntries(blp->linear.Zp));
  *cg = (BLPSweepCG){.scale = s, .rr = sums[0], .rDr = sums[1]};
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPLossSweepCGStep(BLP blp, Vec x, Vec r, Vec p, BLPSweepCG *cg)
{
  const BLPLinear *linear = &blp->linear;
  const PetscReal beta = cg->beta, rr = cg->rr;
  PetscReal sums[3];
  PetscScalar fit;

  PetscFunctionBegin;
  PetscCall(FeatureMatMult(linear->X, r, linear->R));
  PetscCall(VecAYPX(linear->Zp, beta, linear->R)); /* X p */
  PetscCall(VecCopy(linear->Zp, linear->R));
  PetscCall((*linear->curvature)(blp, linear->R));
  PetscCall(VecDot(linear->Zp, linear->R, &fit));
  cg->pDp = cg->rDr + beta * (2 * cg->rDp + beta * cg->pDp);
  cg->curvature = cg->scale * (PetscRealPart(fit) + cg->pDp);
  if (!(cg->curvature > 0)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscLogEventBegin(TWOFOLD_LossHessian, blp, p, r, 0));
  PetscCall(FeatureMatSweepCG_Private(linear->X, Diagonal(blp), cg->scale, rr / cg->curvature, beta,
                                      linear->R, x, r, p, sums));
  PetscCall(PetscLogEventEnd(TWOFOLD_LossHessian, blp, p, r, 0));
  cg->rr = sums[0];
  cg->rDr = sums[1];
  cg->rDp = sums[2];
  cg->beta = cg->rr / rr;
  PetscFunctionReturn(PETSC_SUCCESS);
}
