/*
  equilibrium: a classifier of fixed points w_i = tanh(A w_i + B x_i + c), see equilibrium_levels.c, whose
  layer is dense: A is h x h, B h x p, and both are kept row by row. A product with A costs 2 h^2 operations a
  sample.
*/
#include "equilibrium.h"

static PetscErrorCode Dense(const Equilibrium *eq, PetscInt n, const PetscReal A[], const PetscReal v[],
                            PetscReal beta, PetscReal z[])
{
  return EquilibriumGemm_Private("T", "N", eq->h, n, eq->h, A, eq->h, v, eq->h, beta, z, eq->h);
}

static PetscErrorCode DenseTranspose(const Equilibrium *eq, PetscInt n, const PetscReal A[],
                                     const PetscReal v[], PetscReal beta, PetscReal z[])
{
  return EquilibriumGemm_Private("N", "N", eq->h, n, eq->h, A, eq->h, v, eq->h, beta, z, eq->h);
}

static PetscErrorCode DenseInput(const Equilibrium *eq, PetscInt n, const PetscReal B[], const PetscReal x[],
                                 PetscReal beta, PetscReal z[])
{
  return EquilibriumGemm_Private("T", "N", eq->h, n, eq->p, B, eq->p, x, eq->p, beta, z, eq->h);
}

static PetscErrorCode DenseGradient(const Equilibrium *eq, PetscInt n, const PetscReal w[],
                                    const PetscReal x[], const PetscReal U[], PetscReal gA[], PetscReal gB[])
{
  const PetscInt h = eq->h, p = eq->p;

  PetscFunctionBegin;
  if (gA) PetscCall(EquilibriumGemm_Private("N", "T", h, h, n, w, h, U, h, 0, gA, h));
  if (gB) PetscCall(EquilibriumGemm_Private("N", "T", p, h, n, x, p, U, h, 0, gB, p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DenseNorm(const Equilibrium *eq, const PetscReal A[], PetscReal *norm)
{
  return EquilibriumNorm_Private(eq->h, eq->h, A, norm);
}

static PetscErrorCode DenseSetUp(BLP blp, Equilibrium *eq, PetscInt features)
{
  PetscFunctionBegin;
  (void)blp;
  eq->h = eq->rows = eq->nc = eq->width;
  eq->p = features;
  eq->taps = 1;
  PetscCall(PetscIntMultError(eq->h, eq->h, &eq->nA));
  PetscCall(PetscIntMultError(eq->h, eq->p, &eq->nB));
  eq->nfew = PetscMax(16, 32768 / eq->h); /* 256 kB of states */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the type */

static PetscErrorCode BLPSetFromOptions_Equilibrium(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  Equilibrium *eq = (Equilibrium *)blp->data;

  PetscFunctionBegin;
  PetscCall(EquilibriumOption_Private(blp, PetscOptionsObject, "h", "Size h of a state", &eq->width));
  PetscCall(EquilibriumSetFromOptions_Private(blp, PetscOptionsObject));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_Equilibrium(BLP blp)
{
  static const EquilibriumLayer layer = {.type = BLPEQUILIBRIUM,
                                         .constant = "BLPEQUILIBRIUM",
                                         .setup = DenseSetUp,
                                         .A = Dense,
                                         .AT = DenseTranspose,
                                         .B = DenseInput,
                                         .gradient = DenseGradient,
                                         .norm = DenseNorm,
                                         .is_matrix = PETSC_TRUE};
  Equilibrium *eq;

  PetscFunctionBegin;
  PetscCall(PetscNew(&eq));
  PetscCall(EquilibriumCreate_Private(blp, &layer, eq));
  eq->width = 200;
  blp->ops->setfromoptions = BLPSetFromOptions_Equilibrium;
  PetscFunctionReturn(PETSC_SUCCESS);
}
