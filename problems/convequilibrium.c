/*
  convequilibrium: a classifier of fixed points, see equilibrium_levels.c, whose layer is a convolution. x is
  an image of N x N pixels, a state w has C numbers a pixel, one a channel, and pixels have them side by side:

    w_o(y, x) = tanh(sum_{i, s, t} A_oist w_i(y + 1 - s, x + 1 - t) + sum_{s, t} B_ost x(y + 1 - s, x + 1 - t)
  + c_o)

  over 0 <= s, t < 3, coordinates modulo N: edges are wrapped, so that the set convspectral knows the singular
  values of A. lambda = (A, B, c, theta): C x C x 3 x 3, C x 3 x 3, C and k x C N^2 numbers. A product with A
  costs 18 C^2 N^2 operations a sample. Images may be reduced before, to the means of blocks of pixels.
*/
#include "convequilibrium.h"

/* Where each pixel goes: the blocks of pool x pool. */
static PetscErrorCode Reduce(ConvEquilibrium *conv, PetscInt side)
{
  Equilibrium *const eq = &conv->base;

  PetscFunctionBegin;
  eq->share = 1 / ((PetscReal)conv->pool * (PetscReal)conv->pool);
  if (conv->pool == 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1((size_t)side * (size_t)side, &eq->cell));
  for (PetscInt y = 0; y < side; y++)
    for (PetscInt x = 0; x < side; x++) eq->cell[y * side + x] = y / conv->pool * conv->side + x / conv->pool;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ConvSetUp(BLP blp, Equilibrium *eq, PetscInt features)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  ConvEquilibrium *const conv = (ConvEquilibrium *)eq;
  const PetscInt side = (PetscInt)(PetscSqrtReal((PetscReal)features) + 0.5), C = eq->width;

  PetscFunctionBegin;
  PetscCheck(side * side == features, comm, PETSC_ERR_FILE_UNEXPECTED,
             "problem convequilibrium needs square images, and %" PetscInt_FMT
             " features are not N x N pixels",
             features);
  PetscCheck(side % conv->pool == 0, comm, PETSC_ERR_ARG_INCOMP,
             "-blp_convequilibrium_pool %" PetscInt_FMT ": images of %" PetscInt_FMT " x %" PetscInt_FMT
             " pixels are not made of such blocks",
             conv->pool, side, side);
  conv->side = side / conv->pool;
  PetscCheck(conv->side >= 3, comm, PETSC_ERR_ARG_INCOMP,
             "problem convequilibrium needs images of 3 x 3 pixels at least: there are %" PetscInt_FMT
             " x %" PetscInt_FMT ", reduced by -blp_convequilibrium_pool %" PetscInt_FMT,
             side, side, conv->pool);
  eq->p = conv->side * conv->side;
  eq->nc = eq->rows = C;
  eq->taps = ConvTaps;
  PetscCall(PetscIntMultError(C, eq->p, &eq->h));
  PetscCall(PetscIntMultError(ConvTaps * C, C, &eq->nA));
  eq->nB = ConvTaps * C;
  eq->nfew = PetscMax(1, 32768 / eq->h); /* 256 kB of states */
  blp->kernel = (BLPKernel){.first = 0, .out = C, .in = C, .width = 3, .grid = conv->side}; /* A */
  PetscCall(Reduce(conv, side));
  PetscCall(ConvProductsCreate_Private(conv));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ConvReset(Equilibrium *eq)
{
  return ConvProductsDestroy_Private((ConvEquilibrium *)eq);
}

/* ------------------------------------------------------------------ the type */

static PetscErrorCode BLPSaveModel_ConvEquilibrium(BLP blp, TwofoldGroup group)
{
  PetscFunctionBegin;
  PetscCall(BLPSaveModel_Equilibrium(blp, group));
  PetscCall(TwofoldGroupPutInt(group, "pool", ((const ConvEquilibrium *)blp->data)->pool));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLoadModel_ConvEquilibrium(BLP blp, TwofoldGroup group)
{
  PetscFunctionBegin;
  PetscCall(EquilibriumGetSize_Private(blp, group, "pool", &((ConvEquilibrium *)blp->data)->pool));
  PetscCall(BLPLoadModel_Equilibrium(blp, group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetFromOptions_ConvEquilibrium(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  ConvEquilibrium *conv = (ConvEquilibrium *)blp->data;

  PetscFunctionBegin;
  PetscCall(EquilibriumOption_Private(blp, PetscOptionsObject, "channels", "Channels of a state",
                                      &conv->base.width));
  PetscCall(EquilibriumOption_Private(blp, PetscOptionsObject, "pool",
                                      "Images are reduced to the means of blocks of so many pixels squared",
                                      &conv->pool));
  PetscCall(EquilibriumSetFromOptions_Private(blp, PetscOptionsObject));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_ConvEquilibrium(BLP blp, PetscViewer viewer)
{
  const ConvEquilibrium *conv = (ConvEquilibrium *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "images of %" PetscInt_FMT " x %" PetscInt_FMT
                                   " pixels, each the mean of %" PetscInt_FMT " x %" PetscInt_FMT
                                   ", channels %" PetscInt_FMT "\n",
                                   conv->side, conv->side, conv->pool, conv->pool, conv->base.width));
  PetscCall(EquilibriumView_Private(blp, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_ConvEquilibrium(BLP blp)
{
  static const EquilibriumLayer layer = {.type = BLPCONVEQUILIBRIUM,
                                         .constant = "BLPCONVEQUILIBRIUM",
                                         .setup = ConvSetUp,
                                         .reset = ConvReset,
                                         .A = ConvState_Private,
                                         .AT = ConvStateTranspose_Private,
                                         .B = ConvInput_Private,
                                         .gradient = ConvGradient_Private,
                                         .norm = ConvNorm_Private};
  ConvEquilibrium *conv;

  PetscFunctionBegin;
  PetscCall(PetscNew(&conv));
  PetscCall(EquilibriumCreate_Private(blp, &layer, &conv->base));
  conv->base.width = 8;
  conv->pool = 1;
  blp->ops->setfromoptions = BLPSetFromOptions_ConvEquilibrium;
  blp->ops->view = BLPView_ConvEquilibrium;
  blp->ops->savemodel = BLPSaveModel_ConvEquilibrium;
  blp->ops->loadmodel = BLPLoadModel_ConvEquilibrium;
  PetscFunctionReturn(PETSC_SUCCESS);
}
