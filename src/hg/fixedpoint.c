/* fixedpoint: the fixed-point method v <- d1Phi^T v + b for aid, as richardson makes it. Where no norms and
   monitors are asked for and the map can (FPMCanAdjointSteps()), all steps are made at once, in an order that
   reads each vector once. The operator, I - d1Phi^T, tells of its map by HGSweepOperator_Private(). */
#include <petsc/private/kspimpl.h>
#include <twofold/impl/hgimpl.h>

static PetscErrorCode KSPSetUp_FixedPoint(KSP ksp)
{
  const char *const prefix = ((PetscObject)ksp)->prefix ? ((PetscObject)ksp)->prefix : "";
  PetscBool bare;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp->pc, PCNONE, &bare));
  PetscCheck(bare, PetscObjectComm((PetscObject)ksp), PETSC_ERR_SUP,
             "-%sksp_type %s has no preconditioner: use -%sksp_type %s", prefix, KSPFIXEDPOINT, prefix,
             KSPRICHARDSON);
  PetscCall(KSPSetWorkVecs(ksp, 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* r <- b - A v */
static PetscErrorCode Residual(KSP ksp, Mat A, Vec r)
{
  PetscFunctionBegin;
  if (ksp->its == 0 && ksp->guess_zero) {
    PetscCall(VecCopy(ksp->vec_rhs, r));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(KSP_MatMult(ksp, A, ksp->vec_sol, r));
  PetscCall(VecAYPX(r, -1, ksp->vec_rhs));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Tells the residual's norm before the next step and asks whether to go on. */
static PetscErrorCode Test(KSP ksp, Vec r)
{
  PetscReal norm = 0;

  PetscFunctionBegin;
  if (ksp->normtype != KSP_NORM_NONE) PetscCall(VecNorm(r, NORM_2, &norm));
  KSPCheckNorm(ksp, norm);
  ksp->rnorm = norm;
  PetscCall(KSPLogResidualHistory(ksp, norm));
  PetscCall(KSPMonitor(ksp, ksp->its, norm));
  PetscCall((*ksp->converged)(ksp, ksp->its, norm, &ksp->reason, ksp->cnvP));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The steps that are left from v on, some at a time: between them it is asked whether to stop. The residual
   is that of the last. */
static PetscErrorCode StepsFrom(KSP ksp, HGSweepOperator *sweep, State b, State v)
{
  enum { AT_ONCE = 32 };
  PetscBool stop = PETSC_FALSE;

  PetscFunctionBegin;
  while (ksp->its < ksp->max_it && !stop) {
    const PetscInt n = PetscMin(AT_ONCE, ksp->max_it - ksp->its);
    const PetscBool last = (PetscBool)(ksp->its + n == ksp->max_it);
    PetscCall(HGPoll_Private(sweep->hg, HG_STAGE_ADJOINT, &stop));
    if (stop) break;
    PetscCall(FPMAdjointSteps(sweep->fpm, b, n, v, last ? &sweep->residual : NULL));
    ksp->its += n;
    *sweep->products += n + (sweep->residual < 0 ? 0 : 1);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* All steps without a look at them: the first one from 0 is v = b. */
static PetscErrorCode AllSteps(KSP ksp, HGSweepOperator *sweep)
{
  const PetscScalar *b;
  PetscScalar *v;

  PetscFunctionBegin;
  sweep->residual = -1;
  if (ksp->guess_zero && ksp->max_it > 0) {
    PetscCall(VecCopy(ksp->vec_rhs, ksp->vec_sol));
    ksp->its = 1;
  }
  PetscCall(VecGetArrayRead(ksp->vec_rhs, &b));
  PetscCall(VecGetArray(ksp->vec_sol, &v));
  PetscCall(StatePlace(sweep->view[0], b));
  PetscCall(StatePlace(sweep->view[1], v));
  PetscCall(StepsFrom(ksp, sweep, sweep->view[0], sweep->view[1]));
  PetscCall(StateUnplace(sweep->view[1]));
  PetscCall(StateUnplace(sweep->view[0]));
  PetscCall(VecRestoreArray(ksp->vec_sol, &v));
  PetscCall(VecRestoreArrayRead(ksp->vec_rhs, &b));
  ksp->rnorm = 0;
  ksp->reason = KSP_CONVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KSPSolve_FixedPoint(KSP ksp)
{
  const Vec r = ksp->work[0];
  HGSweepOperator *sweep;
  PetscBool can = PETSC_FALSE;
  Mat A;

  PetscFunctionBegin;
  ksp->its = 0;
  PetscCall(KSPGetOperators(ksp, &A, NULL));
  PetscCall(HGGetSweepOperator_Private(A, &sweep));
  if (sweep && sweep->fpm) PetscCall(FPMCanAdjointSteps(sweep->fpm, &can));
  if (can && ksp->normtype == KSP_NORM_NONE && !ksp->numbermonitors && !ksp->transpose_solve) {
    PetscCall(AllSteps(ksp, sweep));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (ksp->guess_zero) PetscCall(VecZeroEntries(ksp->vec_sol));
  PetscCall(Residual(ksp, A, r));
  PetscCall(Test(ksp, r));
  while (!ksp->reason && ksp->its < ksp->max_it) {
    PetscCall(VecAXPY(ksp->vec_sol, 1, r));
    ksp->its++;
    if (ksp->normtype != KSP_NORM_NONE || ksp->its < ksp->max_it) PetscCall(Residual(ksp, A, r));
    PetscCall(Test(ksp, r));
  }
  if (!ksp->reason) ksp->reason = ksp->normtype == KSP_NORM_NONE ? KSP_CONVERGED_ITS : KSP_DIVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KSPCreate_FixedPoint(KSP ksp)
{
  PetscFunctionBegin;
  PetscCall(KSPSetSupportedNorm(ksp, KSP_NORM_UNPRECONDITIONED, PC_LEFT, 3));
  PetscCall(KSPSetSupportedNorm(ksp, KSP_NORM_NONE, PC_LEFT, 1));
  ksp->ops->setup = KSPSetUp_FixedPoint;
  ksp->ops->solve = KSPSolve_FixedPoint;
  ksp->ops->destroy = KSPDestroyDefault;
  ksp->ops->buildsolution = KSPBuildSolutionDefault;
  ksp->ops->buildresidual = KSPBuildResidualDefault;
  PetscFunctionReturn(PETSC_SUCCESS);
}
