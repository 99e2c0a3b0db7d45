/* aid: approximate implicit differentiation. At the lower level's x_t it solves the adjoint system

     (I - d1Phi^T) v = (grad1 E, 0, ...)         to a tolerance or by exactly k steps
     g = grad2 E + d2Phi^T v

   by any KSP on a MatShell over a map of its own, which has the same fixed point as the lower level's but may
   be another: richardson is the fixed-point method v <- d1Phi^T v + grad1 E, cg needs a symmetric d1Phi,
   cgnr, cgne and lsqr are the normal equations. With map gd and step a the system is a H v = grad1 E: v
   scales with 1/a, g does not. */
#include "aid.h"
#include <twofold/bound.h>

/* ------------------------------------------------------------------ the operator */

typedef PetscErrorCode (*FPMProduct)(FPM, State, State);

/* Once the solve is to stop products are 0 and cost nothing: every KSP, whether it tests or not, soon ends on
   them. */
static PetscErrorCode ApplyProduct(AID *aid, FPMProduct product, Vec x, Vec y)
{
  const PetscScalar *xa;
  PetscScalar *ya;
  PetscBool stop = PETSC_FALSE;

  PetscFunctionBegin;
  if (aid->solving) PetscCall(HGPoll_Private(aid->hg, HG_STAGE_ADJOINT, &stop));
  if (stop) {
    PetscCall(VecZeroEntries(y));
    PetscCall(KSPSetErrorIfNotConverged(aid->ksp, PETSC_FALSE)); /* which it will not */
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecGetArrayRead(x, &xa));
  PetscCall(VecGetArrayWrite(y, &ya));
  PetscCall(StatePlace(aid->in, xa));
  PetscCall(StatePlace(aid->out, ya));
  PetscCall((*product)(aid->fpm, aid->in, aid->out));
  aid->products++;
  PetscCall(StateUnplace(aid->out));
  PetscCall(StateUnplace(aid->in));
  PetscCall(VecRestoreArrayWrite(y, &ya));
  PetscCall(VecRestoreArrayRead(x, &xa));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_Adjoint(Mat A, Vec x, Vec y)
{
  AID *aid;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &aid));
  PetscCall(ApplyProduct(aid, FPMResidualVJP, x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMultTranspose_Adjoint(Mat A, Vec x, Vec y)
{
  AID *aid;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &aid));
  PetscCall(ApplyProduct(aid, FPMResidualJVP, x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A, on vectors like b. */
PetscErrorCode HGAIDCreateOperator_Private(HG hg)
{
  AID *aid = (AID *)hg->data;
  PetscInt nlocal, n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(aid->b, &nlocal));
  PetscCall(VecGetSize(aid->b, &n));
  PetscCall(MatCreateShell(PetscObjectComm((PetscObject)hg), nlocal, nlocal, n, n, aid, &aid->A));
  PetscCall(MatShellSetOperation(aid->A, MATOP_MULT, (void (*)(void))MatMult_Adjoint));
  PetscCall(MatShellSetOperation(aid->A, MATOP_MULT_TRANSPOSE, (void (*)(void))MatMultTranspose_Adjoint));
  aid->sweep.products = &aid->products;
  aid->sweep.fpm = aid->fpm;
  aid->sweep.hg = hg;
  aid->sweep.view[0] = aid->in;
  aid->sweep.view[1] = aid->out;
  PetscCall(HGSweepOperator_Private(aid->A, &aid->sweep));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ solve */

/* Lays the state that HGGetAdjoint() lends over v, or lifts it: what it caches (norms) must not outlive a
 * solve. */
static PetscErrorCode LayAdjoint(HG hg)
{
  AID *aid = (AID *)hg->data;
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(aid->v, &a));
  PetscCall(StatePlace(aid->vview, a));
  PetscCall(VecRestoreArrayRead(aid->v, &a));
  hg->v = aid->vview;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGAIDLiftAdjoint_Private(HG hg)
{
  PetscFunctionBegin;
  if (hg->v) PetscCall(StateUnplace(hg->v));
  hg->v = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* b = (grad1 E, 0, ...) */
static PetscErrorCode SetRightHandSide(AID *aid, Vec g1)
{
  const PetscScalar *a;
  PetscScalar *b;
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(aid->b));
  PetscCall(VecGetLocalSize(g1, &nlocal));
  PetscCall(VecGetArrayRead(g1, &a));
  PetscCall(VecGetArray(aid->b, &b));
  PetscCall(PetscArraycpy(b, a, nlocal));
  PetscCall(VecRestoreArray(aid->b, &b));
  PetscCall(VecRestoreArrayRead(g1, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* v <- the accepted one. */
static PetscErrorCode StartFromAccepted(AID *aid)
{
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetArrayWrite(aid->v, &a));
  PetscCall(StatePlace(aid->out, a));
  PetscCall(StateCopy(aid->accepted, aid->out));
  PetscCall(StateUnplace(aid->out));
  PetscCall(VecRestoreArrayWrite(aid->v, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||b - A v|| / ||b||, recomputed. */
static PetscErrorCode TrueResidual(AID *aid, PetscReal bnorm, PetscReal *residual)
{
  PetscFunctionBegin;
  PetscCall(MatMult(aid->A, aid->v, aid->r));
  PetscCall(VecAYPX(aid->r, -1, aid->b));
  PetscCall(VecNorm(aid->r, NORM_2, residual));
  *residual /= bnorm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A KSP's reasons that are no solution, whatever their sign: breakdowns, and what the trust-region CGs return
   on an indefinite matrix or at the edge of their region. */
static PetscBool IsFailure(KSPConvergedReason reason)
{
  return (PetscBool)((reason < 0 && reason != KSP_DIVERGED_ITS) || reason == KSP_CONVERGED_CG_NEG_CURVE ||
                     reason == KSP_CONVERGED_CG_CONSTRAINED || reason == KSP_CONVERGED_STEP_LENGTH);
}

/* What the KSP's reason means here, by the recomputed residual. A breakdown at rounding level has found the
   solution. KSPs without a test of their own (preonly, gcr at its last step) call the end of their steps
   convergence: with a tolerance, the residual decides. */
static PetscErrorCode JudgeSolve(const AID *aid, HGReport *report)
{
  PetscReal rtol;

  PetscFunctionBegin;
  PetscCall(KSPGetTolerances(aid->ksp, &rtol, NULL, NULL, NULL));
  if (!aid->fixed && report->adjoint_reason == KSP_CONVERGED_ITS)
    report->adjoint_reason = report->adjoint_residual <= rtol ? KSP_CONVERGED_RTOL : KSP_DIVERGED_ITS;
  const PetscBool solved = (PetscBool)(report->adjoint_residual <= 1e-12); /* false for NaN */
  if (IsFailure(report->adjoint_reason) && report->adjoint_reason != KSP_DIVERGED_NANORINF && !solved)
    report->reason = HG_DIVERGED_ADJOINT;
  else if (PetscIsInfOrNanReal(report->adjoint_residual) ||
           (report->adjoint_reason == KSP_DIVERGED_NANORINF && !solved))
    report->reason = HG_DIVERGED_NANORINF;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||b||, and whether there is anything to solve for: with b = 0, v = 0 is exact. */
static PetscErrorCode MeasureRightHandSide(HG hg, PetscBool *trivial)
{
  AID *aid = (AID *)hg->data;
  HGReport *report = &hg->report;

  PetscFunctionBegin;
  PetscCall(VecNorm(aid->b, NORM_2, &aid->bnorm));
  *trivial = (PetscBool)(aid->bnorm == 0 || PetscIsInfOrNanReal(aid->bnorm));
  if (PetscIsInfOrNanReal(aid->bnorm)) {
    report->reason = HG_DIVERGED_NANORINF;
  } else if (aid->bnorm == 0) {
    PetscCall(VecZeroEntries(aid->v));
    report->adjoint_reason = KSP_CONVERGED_ATOL;
    report->adjoint_residual = 0;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* v where a solve begins. */
static PetscErrorCode Start(HG hg)
{
  AID *aid = (AID *)hg->data;
  const PetscBool warm = (PetscBool)(hg->warm_start && aid->warmed);

  PetscFunctionBegin;
  if (warm)
    PetscCall(StartFromAccepted(aid));
  else
    PetscCall(VecZeroEntries(aid->v));
  PetscCall(KSPSetInitialGuessNonzero(aid->ksp, warm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveSystem(AID *aid, Vec b, Vec v)
{
  PetscFunctionBegin;
  aid->solving = PETSC_TRUE;
  PetscCall(HGKSPSolve_Private(aid->ksp, b, v));
  aid->solving = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveAdjoint(HG hg)
{
  AID *aid = (AID *)hg->data;
  HGReport *report = &hg->report;
  PetscInt max_it;
  PetscBool trivial;

  PetscFunctionBegin;
  PetscCall(MeasureRightHandSide(hg, &trivial));
  if (trivial) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Start(hg));
  aid->sweep.residual = -1;
  PetscCall(KSPGetTolerances(aid->ksp, NULL, NULL, NULL, &max_it));
  if (aid->fixed && max_it == 0) { /* KSPs make a step even then */
    report->adjoint_reason = KSP_CONVERGED_ITS;
  } else {
    PetscCall(SolveSystem(aid, aid->b, aid->v));
    if (hg->stopped) PetscFunctionReturn(PETSC_SUCCESS);
    PetscCall(KSPGetIterationNumber(aid->ksp, &report->adjoint_its));
    PetscCall(KSPGetConvergedReason(aid->ksp, &report->adjoint_reason));
    if (aid->lanczos)
      PetscCall(HGLanczosGet_Private(aid->ksp, aid->fpm, report->adjoint_its, &aid->largest, &aid->smallest));
  }
  if (aid->sweep.residual < 0)
    PetscCall(TrueResidual(aid, aid->bnorm, &report->adjoint_residual));
  else /* or NaN: fixedpoint has made it along with its steps */
    report->adjoint_residual = aid->sweep.residual / aid->bnorm;
  PetscCall(PrecondTell(aid->precond, report->adjoint_its, report->adjoint_residual));
  PetscCall(JudgeSolve(aid, report));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The operator at (hg->x, lambda). The KSP is told that it is another one: chebyshev's bounds and the set-up
   of a preconditioner must follow. */
PetscErrorCode HGAIDLinearize_Private(HG hg, Vec lambda)
{
  AID *aid = (AID *)hg->data;
  PetscInt nstate;
  FPMMethod method;
  State point;

  PetscFunctionBegin;
  PetscCall(FPMGetMethod(aid->fpm, &method));
  aid->sweep.blp = method == FPM_METHOD_GD ? hg->blp : NULL;
  if (aid->sweep.blp) PetscCall(FPMGetStep(aid->fpm, &aid->sweep.scale));
  PetscCall(FPMGetStateSize(aid->fpm, &nstate));
  PetscCall(StateCreateReference(hg->x, nstate, &point));
  PetscCall(FPMLinearize(aid->fpm, lambda, point));
  PetscCall(StateDestroy(&point));
  PetscCall(PetscObjectStateIncrease((PetscObject)aid->A));
  PetscCall(KSPSetOperators(aid->ksp, aid->A, aid->A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Else the lower level has begun it. */
static PetscErrorCode HGPrepare_AID(HG hg, Vec lambda)
{
  AID *aid = (AID *)hg->data;

  PetscFunctionBegin;
  (void)lambda;
  if (aid->precond == aid->own) PetscCall(PrecondBegin(aid->own));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The preconditioner at (hg->x, lambda), where it is due; the loss's point is the same. */
static PetscErrorCode Precondition(HG hg, Vec lambda)
{
  AID *aid = (AID *)hg->data;
  PetscInt before, after;

  PetscFunctionBegin;
  PetscCall(PrecondGetCost(aid->precond, NULL, &before));
  PetscCall(PrecondPrepare(aid->precond, lambda, hg->x->v[0], NULL));
  PetscCall(PrecondGetCost(aid->precond, NULL, &after));
  aid->products += after - before;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The system at (hg->x, lambda). */
static PetscErrorCode SetSystem(HG hg, Vec lambda)
{
  AID *aid = (AID *)hg->data;

  PetscFunctionBegin;
  PetscCall(HGAIDLiftAdjoint_Private(hg));
  aid->largest = aid->smallest = HGLanczosNone_Private();
  PetscCall(BoundProvideConstants(aid->fpm, lambda, hg->x->v[0], NULL));
  PetscCall(FPMPrepare(aid->fpm, lambda));
  PetscCall(HGAIDLinearize_Private(hg, lambda));
  PetscCall(Precondition(hg, lambda));
  PetscCall(
      HGChebyshevPrepare_Private(hg, &aid->chebyshev, aid->ksp, aid->A, aid->fpm, aid->precond, lambda));
  PetscCall(SetRightHandSide(aid, hg->g1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGAdjoint_AID(HG hg, Vec lambda, Vec g)
{
  AID *aid = (AID *)hg->data;

  PetscFunctionBegin;
  aid->products = 0;
  PetscCall(SetSystem(hg, lambda));
  PetscCall(SolveAdjoint(hg));
  PetscCall(LayAdjoint(hg));
  hg->report.adjoint_products = aid->products;
  if (!hg->report.reason && !hg->stopped) PetscCall(FPMParameterVJPAdd(aid->fpm, aid->vview, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Solves on from v until the recomputed residual is there, each time for what v lacks: a KSP may look at
   another norm, as behind a preconditioner, and is then asked for more. */
static PetscErrorCode SolveTo(HG hg, PetscBool nonzero, PetscReal target, PetscInt max_it)
{
  enum { attempts = 6 };
  AID *aid = (AID *)hg->data;
  HGReport *report = &hg->report;
  PetscReal asked = target;
  PetscInt its, left = max_it;

  PetscFunctionBegin;
  report->adjoint_reason = KSP_CONVERGED_ITERATING;
  report->adjoint_residual = 1;
  PetscCall(VecCopy(aid->b, aid->r));
  if (nonzero) PetscCall(TrueResidual(aid, aid->bnorm, &report->adjoint_residual));
  PetscCall(KSPSetInitialGuessNonzero(aid->ksp, PETSC_FALSE));
  for (int i = 0; i < attempts && left > 0 && report->adjoint_residual * aid->bnorm > target; i++) {
    PetscCall(KSPSetTolerances(aid->ksp, 0, asked, PETSC_DEFAULT, left));
    PetscCall(SolveSystem(aid, aid->r, aid->dv));
    if (hg->stopped) break;
    PetscCall(VecAXPY(aid->v, 1, aid->dv));
    PetscCall(KSPGetIterationNumber(aid->ksp, &its));
    PetscCall(KSPGetConvergedReason(aid->ksp, &report->adjoint_reason));
    PetscCall(TrueResidual(aid, aid->bnorm, &report->adjoint_residual));
    left -= its;
    report->adjoint_its += its;
    if (IsFailure(report->adjoint_reason)) break;
    asked *= PetscMax(target / (report->adjoint_residual * aid->bnorm), 1e-3) / 2;
  }
  if (report->adjoint_residual * aid->bnorm <= target)
    report->adjoint_reason = KSP_CONVERGED_ATOL;
  else if (report->adjoint_reason >= 0)
    report->adjoint_reason = KSP_DIVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGApproach_AID(HG hg, Vec lambda, PetscBool resume, Vec better, PetscReal target,
                                     PetscReal reduction, PetscInt max_it)
{
  AID *aid = (AID *)hg->data;
  PetscReal rtol, atol, dtol;
  PetscInt own_max_it;
  PetscBool trivial;

  PetscFunctionBegin;
  if (!resume) aid->products = 0;
  PetscCall(SetSystem(hg, lambda));
  PetscCall(MeasureRightHandSide(hg, &trivial));
  if (!trivial) {
    if (!resume) PetscCall(Start(hg));
    if (better && aid->vview->n == 1) PetscCall(VecCopy(better, aid->v));
    PetscCall(KSPGetTolerances(aid->ksp, &rtol, &atol, &dtol, &own_max_it));
    PetscCall(SolveTo(hg, (PetscBool)(resume || (hg->warm_start && aid->warmed)),
                      PetscMax(target, reduction * aid->bnorm), max_it));
    PetscCall(KSPSetTolerances(aid->ksp, rtol, atol, dtol, own_max_it));
    PetscCall(JudgeSolve(aid, &hg->report));
  }
  if (hg->stopped) hg->report.reason = HG_STOPPED;
  PetscCall(LayAdjoint(hg));
  hg->report.adjoint_products = aid->products;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ warm starts, view, life cycle */

static PetscErrorCode HGAccept_AID(HG hg)
{
  AID *aid = (AID *)hg->data;

  PetscFunctionBegin;
  if (!hg->warm_start || !hg->v) PetscFunctionReturn(PETSC_SUCCESS);
  if (!aid->accepted) PetscCall(FPMCreateState(aid->fpm, &aid->accepted));
  PetscCall(StateCopy(hg->v, aid->accepted));
  aid->warmed = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGPrecond_AID(HG hg, Precond *precond)
{
  PetscFunctionBegin;
  *precond = ((AID *)hg->data)->precond;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGAdjointMap_AID(HG hg, FPM *fpm)
{
  PetscFunctionBegin;
  *fpm = ((AID *)hg->data)->fpm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGFirstAdjoint_AID(HG hg, FPM *fpm, Vec *v)
{
  PetscFunctionBegin;
  *fpm = ((AID *)hg->data)->fpm;
  *v = hg->v ? hg->v->v[0] : NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGCertify_AID(HG hg, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(HGCertifyAdjoint_Private(hg, lambda, ((AID *)hg->data)->fpm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGKept_AID(HG hg, PetscBool make, HGKept *kept)
{
  AID *aid = (AID *)hg->data;

  PetscFunctionBegin;
  if (make ? !hg->warm_start : !aid->warmed) PetscFunctionReturn(PETSC_SUCCESS);
  if (!aid->accepted) PetscCall(FPMCreateState(aid->fpm, &aid->accepted));
  aid->warmed = PETSC_TRUE;
  PetscCall(HGKeptAdd_Private(kept, "v", aid->accepted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGView_AID(HG hg, PetscViewer viewer)
{
  AID *aid = (AID *)hg->data;
  KSPType type;
  PetscReal rtol;
  PetscInt max_it;
  PetscBool none;

  PetscFunctionBegin;
  PetscCall(KSPGetType(aid->ksp, &type));
  PetscCall(KSPGetTolerances(aid->ksp, &rtol, NULL, NULL, &max_it));
  if (aid->fixed)
    PetscCall(PetscViewerASCIIPrintf(viewer, "adjoint by %s, exactly %" PetscInt_FMT " steps", type, max_it));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "adjoint by %s, at most %" PetscInt_FMT " steps, rtol %g", type,
                                     max_it, (double)rtol));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_FALSE));
  PetscCall(PetscViewerASCIIPrintf(viewer, ", %s start\n", hg->warm_start ? "warm" : "cold"));
  PetscCall(PetscViewerASCIIUseTabs(viewer, PETSC_TRUE));
  PetscCall(HGChebyshevView_Private(&aid->chebyshev, viewer));
  PetscCall(FPMView(aid->fpm, viewer));
  PetscCall(PrecondIsNone_Private(aid->own, &none));
  if (!none) PetscCall(PrecondView(aid->precond ? aid->precond : aid->own, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGGetMemory_AID(HG hg, PetscLogDouble *bytes)
{
  AID *aid = (AID *)hg->data;
  PetscInt nlocal;
  PetscLogDouble precond;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(aid->b, &nlocal));
  /* right-hand side, v, a part of it, residual, the accepted v, the map's work vector; a Krylov method's own
   * are about four more */
  *bytes += (PetscLogDouble)nlocal * sizeof(PetscScalar) * (hg->warm_start ? 10 : 9);
  if (aid->precond == aid->own) {
    PetscCall(PrecondGetMemory(aid->own, &precond));
    *bytes += precond;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGDestroy_AID(HG hg)
{
  AID *aid = (AID *)hg->data;

  PetscFunctionBegin;
  PetscCall(HGAIDReset_Private(hg));
  PetscCall(KSPDestroy(&aid->ksp));
  PetscCall(PrecondDestroy(&aid->precond));
  PetscCall(PrecondDestroy(&aid->own));
  PetscCall(FPMDestroy(&aid->fpm));
  PetscCall(PetscFree(hg->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCreate_AID(HG hg)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  AID *aid;
  PC pc;

  PetscFunctionBegin;
  PetscCall(PetscNew(&aid));
  hg->data = aid;
  aid->hg = hg;
  PetscCall(FPMCreate(comm, &aid->fpm));
  PetscCall(PrecondCreate(comm, &aid->own));
  aid->chebyshev.low = aid->chebyshev.high = HGChebyshevNone_Private();
  aid->chebyshev.last = PETSC_MAX_INT;
  PetscCall(KSPCreate(comm, &aid->ksp));
  PetscCall(KSPSetTolerances(aid->ksp, 1e-8, PETSC_DEFAULT, PETSC_DEFAULT, 1000));
  PetscCall(KSPGetPC(aid->ksp, &pc));
  PetscCall(PCSetType(pc, PCNONE)); /* a shell matrix offers nothing to factor */
  hg->ops->setfromoptions = HGSetFromOptions_AID;
  hg->ops->setup = HGSetUp_AID;
  hg->ops->prepare = HGPrepare_AID;
  hg->ops->adjoint = HGAdjoint_AID;
  hg->ops->accept = HGAccept_AID;
  hg->ops->firstadjoint = HGFirstAdjoint_AID;
  hg->ops->approach = HGApproach_AID;
  hg->ops->precond = HGPrecond_AID;
  hg->ops->kept = HGKept_AID;
  hg->ops->adjointmap = HGAdjointMap_AID;
  hg->ops->certify = HGCertify_AID;
  hg->ops->view = HGView_AID;
  hg->ops->memory = HGGetMemory_AID;
  hg->ops->destroy = HGDestroy_AID;
  PetscFunctionReturn(PETSC_SUCCESS);
}
