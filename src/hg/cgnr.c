/* cgnr: conjugate gradients on the normal equations A^T A v = A^T b, the iterates of PETSc's cgne. With the
   residual r = A^T (b - A v) of the normal equations and z = A^T A p a step is one pass over the vectors,

     v <- v + alpha p,   r <- r - alpha z,   p <- r + beta p,   z <- A^T A p
     alpha = ||r||^2 / ||A p||^2,            beta = ||r - alpha z||^2 / ||r||^2

   which begins with what the last one has found: ||r - alpha z||^2 = ||r||^2 - 2 alpha r.z + alpha^2 ||z||^2
   before r is there. Where little is left of that sum, r is made and measured first. So v lags by a step, as
   with PETSc's gmres, until someone asks for it. Where the operator tells of a map, A = I - d1Phi^T
   (HGSweepOperator_Private()), that can (FPMCanNormalStep()), the pass is the map's; else it is made of
   products and vector operations. k steps need 2 k + 1 products, and where no norms are asked for, so that
   nobody needs the last z, 2 k. */
#include <petsc/private/kspimpl.h>
#include <twofold/impl/hgimpl.h>

typedef struct {
  BLPNormalStep step;
  HGSweepOperator *map; /* NULL: not one that can */
} CGNR;

static PetscErrorCode KSPSetUp_CGNR(KSP ksp)
{
  const char *const prefix = ((PetscObject)ksp)->prefix ? ((PetscObject)ksp)->prefix : "";
  PetscBool bare;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp->pc, PCNONE, &bare));
  PetscCheck(bare, PetscObjectComm((PetscObject)ksp), PETSC_ERR_SUP,
             "-%sksp_type %s has no preconditioner: use -%sksp_type %s", prefix, KSPCGNR, prefix, KSPCGNE);
  PetscCall(KSPSetWorkVecs(ksp, 4)); /* r, p, z, A p */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the step before has found but not yet done: v <- v + alpha p, and r <- r - alpha z where it is to go
   on. */
static PetscErrorCode CatchUp(KSP ksp, PetscBool goes_on)
{
  CGNR *cg = (CGNR *)ksp->data;
  const PetscReal alpha = cg->step.alpha;

  PetscFunctionBegin;
  if (alpha == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecAXPY(ksp->vec_sol, alpha, ksp->work[1]));
  if (goes_on) PetscCall(VecAXPY(ksp->work[0], -alpha, ksp->work[2]));
  cg->step.alpha = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The pass, by products and vector operations. */
static PetscErrorCode PlainPass(KSP ksp)
{
  const Vec r = ksp->work[0], p = ksp->work[1], z = ksp->work[2], t = ksp->work[3];
  BLPNormalStep *const step = &((CGNR *)ksp->data)->step;
  Mat A;

  PetscFunctionBegin;
  PetscCall(CatchUp(ksp, PETSC_TRUE));
  if (step->beta == 0)
    PetscCall(VecCopy(r, p));
  else
    PetscCall(VecAYPX(p, step->beta, r));
  PetscCall(KSPGetOperators(ksp, &A, NULL));
  PetscCall(KSP_MatMult(ksp, A, p, t));
  if (!step->last) PetscCall(KSP_MatMultTranspose(ksp, A, t, z));
  const struct {
    Vec x, y;
    PetscReal *sum;
  } dots[] = {{r, r, &step->rr}, {t, t, &step->curvature}, {r, z, &step->rz}, {z, z, &step->zz}};
  const int n = step->last ? 2 : 4;
  for (int i = 0; i < n; i++) PetscCall(VecDotBegin(dots[i].x, dots[i].y, dots[i].sum));
  for (int i = 0; i < n; i++) PetscCall(VecDotEnd(dots[i].x, dots[i].y, dots[i].sum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Chooses whose pass it is, and r <- A^T (b - A v). */
static PetscErrorCode Begin(KSP ksp)
{
  const Vec r = ksp->work[0], z = ksp->work[2];
  CGNR *cg = (CGNR *)ksp->data;
  PetscBool can = PETSC_FALSE;
  Mat A;

  PetscFunctionBegin;
  PetscCall(KSPGetOperators(ksp, &A, NULL));
  PetscCall(HGGetSweepOperator_Private(A, &cg->map));
  if (cg->map && cg->map->fpm && !ksp->transpose_solve) PetscCall(FPMCanNormalStep(cg->map->fpm, &can));
  if (!can) cg->map = NULL;
  cg->step = (BLPNormalStep){.alpha = 0};
  if (ksp->guess_zero) {
    PetscCall(VecZeroEntries(ksp->vec_sol));
    PetscCall(KSP_MatMultTranspose(ksp, A, ksp->vec_rhs, r));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(KSP_MatMult(ksp, A, ksp->vec_sol, z));
  PetscCall(VecAYPX(z, -1, ksp->vec_rhs));
  PetscCall(KSP_MatMultTranspose(ksp, A, z, r));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Tells the norm after step `its` and asks whether to go on. */
static PetscErrorCode Test(KSP ksp, PetscInt its, PetscReal rr)
{
  const PetscReal norm = ksp->normtype == KSP_NORM_NONE ? 0 : PetscSqrtReal(rr);

  PetscFunctionBegin;
  ksp->its = its;
  KSPCheckNorm(ksp, rr);
  ksp->rnorm = norm;
  PetscCall(KSPLogResidualHistory(ksp, norm));
  PetscCall(KSPMonitor(ksp, its, norm));
  PetscCall((*ksp->converged)(ksp, its, norm, &ksp->reason, ksp->cnvP));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The next beta, by the residual that alpha leads to, whose square it tells. */
static PetscErrorCode LookAhead(KSP ksp, PetscReal *rr)
{
  const PetscReal least = 1e-6; /* of ||r||^2: below, a sum of its parts has few digits */
  BLPNormalStep *const step = &((CGNR *)ksp->data)->step;
  const PetscReal alpha = step->alpha;

  PetscFunctionBegin;
  *rr = step->rr - 2 * alpha * step->rz + alpha * alpha * step->zz;
  if (!(*rr >= least * step->rr)) {
    PetscCall(CatchUp(ksp, PETSC_TRUE));
    PetscCall(VecDot(ksp->work[0], ksp->work[0], rr));
  }
  step->beta = *rr / step->rr;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Step(KSP ksp, PetscReal *rr)
{
  CGNR *cg = (CGNR *)ksp->data;
  BLPNormalStep *const step = &cg->step;

  PetscFunctionBegin;
  step->last = (PetscBool)(ksp->normtype == KSP_NORM_NONE && ksp->its + 1 >= ksp->max_it);
  if (cg->map) {
    PetscCall(FPMNormalStep(cg->map->fpm, step, ksp->vec_sol, ksp->work[0], ksp->work[1], ksp->work[2]));
    *cg->map->products += step->last ? 1 : 2;
  } else {
    PetscCall(PlainPass(ksp));
  }
  step->alpha = 0;
  if (!(step->curvature > 0)) {
    ksp->reason = PetscIsInfOrNanReal(step->curvature) ? KSP_DIVERGED_NANORINF : KSP_DIVERGED_BREAKDOWN;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  step->alpha = step->rr / step->curvature;
  if (!step->last) PetscCall(LookAhead(ksp, rr));
  PetscCall(Test(ksp, ksp->its + 1, *rr));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KSPSolve_CGNR(KSP ksp)
{
  CGNR *cg = (CGNR *)ksp->data;
  PetscBool stop = PETSC_FALSE;
  PetscReal rr, first;

  PetscFunctionBegin;
  PetscCall(Begin(ksp));
  PetscCall(VecDot(ksp->work[0], ksp->work[0], &rr));
  PetscCall(Test(ksp, 0, rr));
  first = rr;
  while (!ksp->reason && ksp->its < ksp->max_it) {
    if (rr <= 1e-120 * first) { /* a step changes no bit of v any more, and squares may underflow */
      ksp->reason = ksp->normtype == KSP_NORM_NONE ? KSP_CONVERGED_ITS : KSP_CONVERGED_ATOL;
      break;
    }
    if (cg->map)
      PetscCall(HGPoll_Private(cg->map->hg, HG_STAGE_ADJOINT, &stop)); /* products ask themselves */
    if (stop) {
      ksp->reason = KSP_CONVERGED_ITS; /* no failure of its own */
      break;
    }
    PetscCall(Step(ksp, &rr));
  }
  PetscCall(CatchUp(ksp, PETSC_FALSE));
  if (!ksp->reason) ksp->reason = ksp->normtype == KSP_NORM_NONE ? KSP_CONVERGED_ITS : KSP_DIVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KSPBuildSolution_CGNR(KSP ksp, Vec v, Vec *V)
{
  PetscFunctionBegin;
  PetscCall(CatchUp(ksp, PETSC_TRUE));
  PetscCall(KSPBuildSolutionDefault(ksp, v, V));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KSPCreate_CGNR(KSP ksp)
{
  CGNR *cg;

  PetscFunctionBegin;
  PetscCall(PetscNew(&cg));
  ksp->data = cg;
  PetscCall(KSPSetSupportedNorm(ksp, KSP_NORM_UNPRECONDITIONED, PC_LEFT, 3));
  PetscCall(KSPSetSupportedNorm(ksp, KSP_NORM_NONE, PC_LEFT, 1));
  ksp->ops->setup = KSPSetUp_CGNR;
  ksp->ops->solve = KSPSolve_CGNR;
  ksp->ops->destroy = KSPDestroyDefault;
  ksp->ops->buildsolution = KSPBuildSolution_CGNR;
  ksp->ops->buildresidual = KSPBuildResidualDefault;
  PetscFunctionReturn(PETSC_SUCCESS);
}
