/* sweepcg: conjugate gradients for a multiple of a loss's Hessian, each step in one sweep over the vectors
   (BLPLossSweepCGStep()). A KSP like others: monitors, tolerances and convergence tests are PETSc's. Its
   operator tells by HGSweepOperator_Private() what it is a multiple of. */
#include <petsc/private/kspimpl.h>
#include <twofold/featuremat.h>
#include <twofold/impl/hgimpl.h>

static const char key[] = "twofold_sweep";

PetscErrorCode HGSweepOperator_Private(Mat A, HGSweepOperator *sweep)
{
  PetscContainer container;

  PetscFunctionBegin;
  PetscCall(PetscContainerCreate(PETSC_COMM_SELF, &container));
  PetscCall(PetscContainerSetPointer(container, sweep));
  PetscCall(PetscObjectCompose((PetscObject)A, key, (PetscObject)container));
  PetscCall(PetscContainerDestroy(&container));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetSweepOperator_Private(Mat A, HGSweepOperator **sweep)
{
  PetscObject container;

  PetscFunctionBegin;
  *sweep = NULL;
  PetscCall(PetscObjectQuery((PetscObject)A, key, &container));
  if (container) PetscCall(PetscContainerGetPointer((PetscContainer)container, (void **)sweep));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* NULL: none that can be swept */
static PetscErrorCode GetOperator(KSP ksp, HGSweepOperator **sweep)
{
  PetscBool can = PETSC_FALSE;
  Mat A;

  PetscFunctionBegin;
  PetscCall(KSPGetOperators(ksp, &A, NULL));
  PetscCall(HGGetSweepOperator_Private(A, sweep));
  if (*sweep && (*sweep)->blp) PetscCall(BLPCanSweep((*sweep)->blp, &can));
  if (!can) *sweep = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KSPSetUp_SweepCG(KSP ksp)
{
  const char *const prefix = ((PetscObject)ksp)->prefix ? ((PetscObject)ksp)->prefix : "";
  HGSweepOperator *sweep;
  PetscBool bare;

  PetscFunctionBegin;
  PetscCall(GetOperator(ksp, &sweep));
  PetscCheck(
      sweep, PetscObjectComm((PetscObject)ksp), PETSC_ERR_SUP,
      "-%sksp_type %s needs the Hessian of a problem with sweeps, with -data_kernel %s, through the map gd: "
      "use -%sksp_type %s",
      prefix, KSPSWEEPCG, FEATUREMATGRID, prefix, KSPCG);
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp->pc, PCNONE, &bare));
  PetscCheck(bare, PetscObjectComm((PetscObject)ksp), PETSC_ERR_SUP,
             "-%sksp_type %s has no preconditioner: use -%sksp_type %s", prefix, KSPSWEEPCG, prefix, KSPCG);
  PetscCall(KSPSetWorkVecs(ksp, 2)); /* residual and direction */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* r <- b - A x */
static PetscErrorCode Residual(KSP ksp, Vec r)
{
  Mat A;

  PetscFunctionBegin;
  if (ksp->guess_zero) {
    PetscCall(VecZeroEntries(ksp->vec_sol));
    PetscCall(VecCopy(ksp->vec_rhs, r));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(KSPGetOperators(ksp, &A, NULL));
  PetscCall(KSP_MatMult(ksp, A, ksp->vec_sol, r));
  PetscCall(VecAYPX(r, -1, ksp->vec_rhs));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Tells the residual's norm after step `its` and asks whether to go on. */
static PetscErrorCode Test(KSP ksp, PetscInt its, PetscReal rr)
{
  const PetscReal norm = ksp->normtype == KSP_NORM_NONE ? 0 : PetscSqrtReal(rr);

  PetscFunctionBegin;
  ksp->its = its;
  KSPCheckNorm(ksp, norm);
  ksp->rnorm = norm;
  PetscCall(KSPLogResidualHistory(ksp, norm));
  PetscCall(KSPMonitor(ksp, its, norm));
  PetscCall((*ksp->converged)(ksp, its, norm, &ksp->reason, ksp->cnvP));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KSPSolve_SweepCG(KSP ksp)
{
  const Vec r = ksp->work[0], p = ksp->work[1];
  HGSweepOperator *sweep;
  PetscBool stop;
  BLPSweepCG cg;

  PetscFunctionBegin;
  PetscCall(GetOperator(ksp, &sweep));
  PetscCheck(sweep, PetscObjectComm((PetscObject)ksp), PETSC_ERR_ARG_WRONGSTATE,
             "the operator is no longer one with sweeps");
  PetscCall(Residual(ksp, r));
  PetscCall(BLPLossSweepCGBegin(sweep->blp, sweep->scale, r, p, &cg));
  PetscCall(Test(ksp, 0, cg.rr));
  while (!ksp->reason && ksp->its < ksp->max_it) {
    PetscCall(HGPoll_Private(sweep->hg, HG_STAGE_ADJOINT, &stop));
    if (stop) {
      ksp->reason = KSP_CONVERGED_ITS; /* no failure of its own */
      break;
    }
    PetscCall(BLPLossSweepCGStep(sweep->blp, ksp->vec_sol, r, p, &cg));
    (*sweep->products)++;
    if (!(cg.curvature > 0)) { /* r = 0 is no reason to divide by it */
      ksp->reason = cg.rr == 0                          ? KSP_CONVERGED_ATOL
                    : PetscIsInfOrNanReal(cg.curvature) ? KSP_DIVERGED_NANORINF
                                                        : KSP_DIVERGED_INDEFINITE_MAT;
      break;
    }
    PetscCall(Test(ksp, ksp->its + 1, cg.rr));
  }
  if (!ksp->reason) ksp->reason = KSP_DIVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KSPCreate_SweepCG(KSP ksp)
{
  PetscFunctionBegin;
  PetscCall(KSPSetSupportedNorm(ksp, KSP_NORM_UNPRECONDITIONED, PC_LEFT, 3));
  PetscCall(KSPSetSupportedNorm(ksp, KSP_NORM_NONE, PC_LEFT, 1));
  ksp->ops->setup = KSPSetUp_SweepCG;
  ksp->ops->solve = KSPSolve_SweepCG;
  ksp->ops->destroy = KSPDestroyDefault;
  ksp->ops->buildsolution = KSPBuildSolutionDefault;
  ksp->ops->buildresidual = KSPBuildResidualDefault;
  PetscFunctionReturn(PETSC_SUCCESS);
}
