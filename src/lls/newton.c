/* newton: Newton's method in w alone on

     grad_w l(w, lambda) = 0      where the lower level is a loss: H v by BLPLossHessianMult()
     w - Phi(w, lambda) = 0       where it is a map: (I - d1Phi) v by FPMResidualJVP()

   whatever map is made from the loss. PETSc's SNES makes the steps: a KSP on a shell matrix, inexact by
   Eisenstat and Walker's second choice (SIAM J. Sci. Comput. 17 (1996)), and a line search, that of
   linesearch.c on a loss, bt on
   ||w - Phi(w)|| on a map. The step of CG is one of descent after any number of iterations.
   What is tested is ||Phi(x) - x|| at the new x = (w, w, ...), as for other solvers: alpha ||grad_w l(w)||
   for the maps of step alpha. */
#include <twofold/impl/fpmimpl.h>
#include <twofold/impl/llsimpl.h>
#include <twofold/impl/precondimpl.h>

typedef struct {
  SNES snes;
  Mat A;            /* the Jacobian of the residual */
  Vec residual;     /* where SNES keeps it */
  State image;      /* Phi(x), for maps that do not tell how it follows from the residual */
  PetscBool heard;  /* options were read */
  KSPType standard; /* the type given to a KSP that had none; NULL where the caller chose */
  PetscReal atol;   /* of the KSP, as the caller has it */
  PetscReal norm;   /* of the residual at the last test */
  LLSLineSearch search;
  SNESLineSearchType standard_search; /* the type given to the line search; another one is the caller's */
  Vec lambda;                         /* of the solve */
  State x;
} Newton;

/* ------------------------------------------------------------------ the equations */

static PetscErrorCode ComputeResidual(SNES snes, Vec w, Vec r, void *ctx)
{
  const LLS lls = (LLS)ctx;
  Newton *newton = (Newton *)lls->data;

  PetscFunctionBegin;
  (void)snes;
  if (lls->fpm->uses_map) {
    PetscCall(BLPMapApply(lls->blp, newton->lambda, w, r));
    PetscCall(VecAYPX(r, -1, w));
  } else {
    PetscCall(BLPLossGradient(lls->blp, newton->lambda, w, &newton->search.trial, r));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Once the solve is to stop products are 0 and cost nothing: every KSP soon ends on them. */
static PetscErrorCode ApplyProduct(Mat A, PetscErrorCode (*product)(FPM, State, State), Vec v, Vec y)
{
  struct _State in = {.n = 1, .v = {v}}, out = {.n = 1, .v = {y}};
  PetscBool stop;
  LLS lls;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &lls));
  PetscCall(LLSPoll_Private(lls, &stop));
  if (stop) {
    PetscCall(VecZeroEntries(y));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (lls->fpm->uses_map)
    PetscCall((*product)(lls->fpm, &in, &out));
  else
    PetscCall(BLPLossHessianMult(lls->blp, v, y));
  lls->products++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_Newton(Mat A, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(ApplyProduct(A, FPMResidualJVP, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMultTranspose_Newton(Mat A, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(ApplyProduct(A, FPMResidualVJP, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||Phi(x) - x|| = scale * ||residual||; -1 where the map does not tell. */
static PetscErrorCode GetScale(LLS lls, PetscReal *scale)
{
  FPMMethod method;

  PetscFunctionBegin;
  *scale = 1;
  if (lls->fpm->uses_map) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FPMGetMethod(lls->fpm, &method));
  if (method == FPM_METHOD_OTHER)
    *scale = -1;
  else
    PetscCall(FPMGetStep(lls->fpm, scale));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The Jacobian at w, and how exact the step must be: a residual of the linear system well below what the
   whole solve is asked for serves nothing. */
static PetscErrorCode ComputeJacobian(SNES snes, Vec w, Mat A, Mat P, void *ctx)
{
  const LLS lls = (LLS)ctx;
  Newton *newton = (Newton *)lls->data;
  struct _State point = {.n = 1, .v = {w}};
  PetscReal scale, norm;
  PetscInt before, after;
  KSP ksp;

  PetscFunctionBegin;
  (void)P;
  if (lls->fpm->uses_map)
    PetscCall(FPMLinearize(lls->fpm, newton->lambda, &point));
  else
    PetscCall(BLPLossLinearize(lls->blp, newton->lambda, w));
  PetscCall(PrecondGetCost(lls->precond, NULL, &before));
  PetscCall(PrecondPrepare(lls->precond, newton->lambda, w, NULL)); /* at the same point */
  PetscCall(PrecondGetCost(lls->precond, NULL, &after));
  lls->products += after - before;
  PetscCall(PetscObjectStateIncrease((PetscObject)A));
  PetscCall(GetScale(lls, &scale));
  PetscCall(VecNorm(w, NORM_2, &norm));
  const PetscReal target = scale > 0 ? PetscMax(lls->rtol * norm, lls->atol) / (10 * scale) : 0;
  PetscCall(SNESGetKSP(snes, &ksp));
  PetscCall(
      KSPSetTolerances(ksp, PETSC_DEFAULT, PetscMax(newton->atol, target), PETSC_DEFAULT, PETSC_DEFAULT));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the solve */

static PetscErrorCode GetChange(LLS lls, PetscReal norm, PetscReal *change)
{
  Newton *newton = (Newton *)lls->data;
  PetscReal scale;

  PetscFunctionBegin;
  PetscCall(GetScale(lls, &scale));
  *change = scale * norm;
  if (scale > 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(StateCopy(newton->x, newton->image));
  PetscCall(FPMStep(lls->fpm, newton->lambda, newton->image, change));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether the KSP broke down, other than by making all its steps, or gave no step of descent. */
static PetscErrorCode BrokeDown(const Newton *newton, KSPConvergedReason *reason, PetscBool *broken)
{
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(SNESGetKSP(newton->snes, &ksp));
  PetscCall(KSPGetConvergedReason(ksp, reason));
  *broken = (PetscBool)((*reason < 0 && *reason != KSP_DIVERGED_ITS) || newton->search.uphill);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Lets the preconditioner know how the linear solve of the last step went, from a right-hand side of norm
 * `before`. */
static PetscErrorCode TellPrecond(LLS lls, PetscReal before)
{
  const Newton *newton = (Newton *)lls->data;
  KSPNormType type;
  PetscReal rtol, norm;
  PetscInt its;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(SNESGetKSP(newton->snes, &ksp));
  PetscCall(KSPGetIterationNumber(ksp, &its));
  PetscCall(KSPGetResidualNorm(ksp, &norm));
  PetscCall(KSPGetTolerances(ksp, &rtol, NULL, NULL, NULL));
  PetscCall(KSPGetNormType(ksp, &type));
  PetscCall(PrecondTell(lls->precond, its, type == KSP_NORM_UNPRECONDITIONED ? norm / before : rtol));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* SNES's test after step `it`, 0 for the start: the solver's own, on the state (w, w, ...). */
static PetscErrorCode Test(SNES snes, PetscInt it, PetscReal wnorm, PetscReal step, PetscReal norm,
                           SNESConvergedReason *reason, void *ctx)
{
  const LLS lls = (LLS)ctx;
  Newton *newton = (Newton *)lls->data;
  const State x = newton->x;
  KSPConvergedReason linear;
  PetscBool broken;

  PetscFunctionBegin;
  (void)snes;
  (void)wnorm;
  lls->its = it;
  if (it == 0) newton->search.value = newton->search.trial;
  if (it > 0) PetscCall(TellPrecond(lls, newton->norm));
  newton->norm = norm;
  for (PetscInt k = 1; k < x->n; k++) PetscCall(VecCopy(x->v[0], x->v[k]));
  PetscCall(GetChange(lls, norm, &lls->change));
  PetscCall(BrokeDown(newton, &linear, &broken));
  if (it > 0 && broken && norm > 0 && (step == 0 || newton->search.uphill))
    lls->reason = LLS_DIVERGED_LINEAR_SOLVE;
  if (lls->reason == LLS_ITERATING) PetscCall(LLSTest_Private(lls, x));
  *reason = lls->reason == LLS_ITERATING       ? SNES_CONVERGED_ITERATING
            : lls->reason == LLS_CONVERGED_ITS ? SNES_CONVERGED_ITS
            : lls->reason > 0                  ? SNES_CONVERGED_FNORM_RELATIVE
                                               : SNES_DIVERGED_MAX_IT;
  if (lls->reason == LLS_ITERATING) PetscCall(LLSRecord_Private(lls, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The reason of a solve that SNES ended between two tests. */
static PetscErrorCode Judge(LLS lls)
{
  const Newton *newton = (Newton *)lls->data;
  SNESConvergedReason reason;
  KSPConvergedReason linear;
  PetscBool broken;

  PetscFunctionBegin;
  PetscCall(SNESGetConvergedReason(newton->snes, &reason));
  PetscCall(BrokeDown(newton, &linear, &broken));
  switch (reason) {
  case SNES_DIVERGED_FNORM_NAN:
  case SNES_DIVERGED_FUNCTION_DOMAIN:
    lls->reason = LLS_DIVERGED_NANORINF;
    break;
  case SNES_DIVERGED_LINEAR_SOLVE:
    lls->reason = linear == KSP_DIVERGED_NANORINF ? LLS_DIVERGED_NANORINF : LLS_DIVERGED_LINEAR_SOLVE;
    break;
  case SNES_DIVERGED_MAX_IT: /* by options: -snes_max_it, -snes_max_funcs */
  case SNES_DIVERGED_FUNCTION_COUNT:
    lls->reason = LLS_DIVERGED_ITS;
    break;
  default:
    lls->reason = broken ? LLS_DIVERGED_LINEAR_SOLVE : LLS_DIVERGED_LINE_SEARCH;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Without a tolerance the steps go on where rounding lets none succeed: w then stays. */
static PetscErrorCode LLSSolve_Newton(LLS lls, Vec lambda, State x)
{
  Newton *newton = (Newton *)lls->data;
  const PetscBool tolerance = (PetscBool)(lls->rtol > 0 || lls->atol > 0);

  PetscFunctionBegin;
  newton->lambda = lambda;
  newton->x = x;
  newton->search.uphill = PETSC_FALSE;
  PetscCall(PrecondBegin(lls->precond));
  PetscCall(SNESSetMaxNonlinearStepFailures(newton->snes, tolerance ? 1 : PETSC_MAX_INT));
  PetscCall(SNESSolve(newton->snes, NULL, x->v[0]));
  if (lls->polled)
    lls->reason = LLS_STOPPED; /* whatever became of the step */
  else if (lls->reason == LLS_ITERATING)
    PetscCall(Judge(lls));
  for (PetscInt k = 1; k < x->n; k++) PetscCall(VecCopy(x->v[0], x->v[k]));
  newton->lambda = NULL;
  newton->x = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ settings and set-up */

PetscErrorCode LLSGetSNES(LLS lls, SNES *snes)
{
  PetscBool newton;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)lls, LLSNEWTON, &newton));
  PetscCheck(newton, PetscObjectComm((PetscObject)lls), PETSC_ERR_ARG_WRONG,
             "only a newton lower-level solver has a SNES: -lls_type newton");
  *snes = ((Newton *)lls->data)->snes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether the Jacobian is symmetric: a Hessian always is. */
static PetscErrorCode IsSymmetric(LLS lls, PetscBool *symmetric)
{
  PetscFunctionBegin;
  *symmetric = PETSC_TRUE;
  if (lls->fpm->uses_map) PetscCall(FPMIsSymmetric(lls->fpm, symmetric));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The KSP's type, unless the caller or an option chose one. */
static PetscErrorCode SetDefaultKSP(LLS lls)
{
  Newton *newton = (Newton *)lls->data;
  PetscBool symmetric, same;
  KSPType type;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(SNESGetKSP(newton->snes, &ksp));
  PetscCall(KSPGetType(ksp, &type));
  PetscCall(PetscStrcmp(type, newton->standard, &same)); /* two NULLs are the same */
  if (!same) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(IsSymmetric(lls, &symmetric));
  newton->standard = symmetric ? KSPCG : KSPGMRES;
  PetscCall(KSPSetType(ksp, newton->standard));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The line search, likewise. */
static PetscErrorCode SetDefaultSearch(LLS lls)
{
  Newton *newton = (Newton *)lls->data;
  SNESLineSearch linesearch;
  SNESLineSearchType type;
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(SNESGetLineSearch(newton->snes, &linesearch));
  PetscCall(SNESLineSearchGetType(linesearch, &type));
  PetscCall(PetscStrcmp(type, newton->standard_search, &same));
  if (!same) PetscFunctionReturn(PETSC_SUCCESS);
  if (lls->fpm->uses_map)
    PetscCall(SNESLineSearchSetType(linesearch, SNESLINESEARCHBT));
  else
    PetscCall(LLSSetLineSearch_Private(newton->snes, &newton->search));
  newton->standard_search = lls->fpm->uses_map ? SNESLINESEARCHBT : SNESLINESEARCHSHELL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSConfigureChildren_Newton(LLS lls)
{
  Newton *newton = (Newton *)lls->data;
  PetscBool chosen;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(SNESSetOptionsPrefix(newton->snes, ((PetscObject)lls)->prefix)); /* its children's with it */
  PetscCall(SNESAppendOptionsPrefix(newton->snes, "lls_newton_"));
  PetscCall(SNESGetKSP(newton->snes, &ksp));
  PetscCall(
      PetscOptionsHasName(((PetscObject)lls)->options, ((PetscObject)ksp)->prefix, "-ksp_type", &chosen));
  PetscCall(SetDefaultKSP(lls));
  PetscCall(SetDefaultSearch(lls));
  PetscCall(SNESSetFromOptions(newton->snes));
  newton->heard = PETSC_TRUE;
  if (chosen) newton->standard = NULL;
  PetscCall(KSPGetTolerances(ksp, NULL, &newton->atol, NULL, NULL));
  PetscCall(TwofoldChildPrefix((PetscObject)lls->precond, (PetscObject)lls, "lls_newton_"));
  PetscCall(PrecondSetFromOptions(lls->precond));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckKSP(LLS lls)
{
  const char *const prefix = ((PetscObject)lls)->prefix ? ((PetscObject)lls)->prefix : "";
  PetscBool symmetric, needs;
  KSPType type;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(SNESGetKSP(((Newton *)lls->data)->snes, &ksp));
  PetscCall(KSPGetType(ksp, &type));
  PetscCall(IsSymmetric(lls, &symmetric));
  PetscCall(TwofoldKSPNeedsSymmetry(ksp, &needs));
  PetscCheck(symmetric || !needs, PetscObjectComm((PetscObject)lls), PETSC_ERR_SUP,
             "-%slls_newton_ksp_type %s needs a symmetric d1Phi; the problem's map has none: use "
             "-%slls_newton_ksp_type gmres",
             prefix, type, prefix);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Nothing where nothing was set up: a reset takes from the KSP the viewers that options gave it, and
   -ksp_converged_rate would be told to one that is gone. */
static PetscErrorCode Reset(LLS lls)
{
  Newton *newton = (Newton *)lls->data;

  PetscFunctionBegin;
  if (!newton->image) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(SNESReset(newton->snes));
  PetscCall(MatDestroy(&newton->A));
  PetscCall(VecDestroy(&newton->residual));
  PetscCall(StateDestroy(&newton->image));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSSetUp_Newton(LLS lls)
{
  Newton *newton = (Newton *)lls->data;
  const PetscBool again = (PetscBool)(newton->image != NULL);
  PetscInt nlocal, n;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(Reset(lls));
  PetscCall(SNESGetKSP(newton->snes, &ksp));
  if (again && newton->heard) PetscCall(KSPSetFromOptions(ksp)); /* for its viewers */
  PetscCall(SetDefaultKSP(lls));
  PetscCall(SetDefaultSearch(lls));
  PetscCall(CheckKSP(lls));
  PetscCall(PrecondSetBLP(lls->precond, lls->blp));
  PetscCall(PrecondSetKSP(lls->precond, ksp));
  PetscCall(FPMCreateState(lls->fpm, &newton->image));
  PetscCall(VecDuplicate(newton->image->v[0], &newton->residual));
  PetscCall(VecGetLocalSize(newton->residual, &nlocal));
  PetscCall(VecGetSize(newton->residual, &n));
  PetscCall(MatCreateShell(PetscObjectComm((PetscObject)lls), nlocal, nlocal, n, n, lls, &newton->A));
  PetscCall(MatShellSetOperation(newton->A, MATOP_MULT, (void (*)(void))MatMult_Newton));
  PetscCall(MatShellSetOperation(newton->A, MATOP_MULT_TRANSPOSE, (void (*)(void))MatMultTranspose_Newton));
  PetscCall(SNESSetFunction(newton->snes, newton->residual, ComputeResidual, lls));
  PetscCall(SNESSetJacobian(newton->snes, newton->A, newton->A, ComputeJacobian, lls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSView_Newton(LLS lls, PetscViewer viewer)
{
  const SNES snes = ((Newton *)lls->data)->snes;
  PetscBool inexact, none;
  SNESType type;
  KSPType linear;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(SNESGetType(snes, &type));
  PetscCall(SNESGetKSP(snes, &ksp));
  PetscCall(KSPGetType(ksp, &linear));
  PetscCall(SNESKSPGetUseEW(snes, &inexact));
  PetscCall(PetscViewerASCIIPrintf(viewer, "%s on %s, steps by %s%s\n", type,
                                   lls->fpm->uses_map ? "w - Phi(w)" : "grad_w l", linear,
                                   inexact ? ", inexact by Eisenstat and Walker" : ""));
  if (lls->reason != LLS_ITERATING)
    PetscCall(PetscViewerASCIIPrintf(viewer,
                                     "last solve: %" PetscInt_FMT " steps, %" PetscInt_FMT " products\n",
                                     lls->its, lls->products));
  PetscCall(PrecondIsNone_Private(lls->precond, &none));
  if (!none) PetscCall(PrecondView(lls->precond, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSGetMemory_Newton(LLS lls, PetscLogDouble *bytes)
{
  Newton *newton = (Newton *)lls->data;
  PetscLogDouble precond;
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(PrecondGetMemory(lls->precond, &precond));
  PetscCall(VecGetLocalSize(newton->residual, &nlocal));
  /* image, residual, step and SNES's two trial vectors; a Krylov method's own are about four more */
  *bytes += (PetscLogDouble)nlocal * sizeof(PetscScalar) * (PetscLogDouble)(newton->image->n + 8) + precond;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSDestroy_Newton(LLS lls)
{
  Newton *newton = (Newton *)lls->data;

  PetscFunctionBegin;
  PetscCall(Reset(lls));
  PetscCall(SNESDestroy(&newton->snes));
  PetscCall(PrecondDestroy(&lls->precond));
  PetscCall(PetscFree(lls->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSCreate_Newton(LLS lls)
{
  Newton *newton;
  KSP ksp;
  PC pc;

  PetscFunctionBegin;
  PetscCall(PetscNew(&newton));
  lls->data = newton;
  PetscCall(PrecondCreate(PetscObjectComm((PetscObject)lls), &lls->precond));
  PetscCall(SNESCreate(PetscObjectComm((PetscObject)lls), &newton->snes));
  PetscCall(SNESSetType(newton->snes, SNESNEWTONLS));
  newton->standard_search = SNESLINESEARCHBT; /* PETSc's */
  PetscCall(SNESSetTolerances(newton->snes, 0, 0, 0, PETSC_MAX_INT, PETSC_MAX_INT));
  PetscCall(SNESSetConvergenceTest(newton->snes, Test, lls, NULL));
  PetscCall(
      SNESSetMaxLinearSolveFailures(newton->snes, PETSC_MAX_INT)); /* what CG has found still descends */
  PetscCall(SNESKSPSetUseEW(newton->snes, PETSC_TRUE));
  PetscCall(
      SNESKSPSetParametersEW(newton->snes, 2, 0.1, 0.5, 0.9, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(SNESGetKSP(newton->snes, &ksp));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCNONE)); /* a shell matrix offers nothing to factor */
  PetscCall(KSPGetTolerances(ksp, NULL, &newton->atol, NULL, NULL));
  lls->ops->configurechildren = LLSConfigureChildren_Newton;
  lls->ops->setup = LLSSetUp_Newton;
  lls->ops->solve = LLSSolve_Newton;
  lls->ops->view = LLSView_Newton;
  lls->ops->memory = LLSGetMemory_Newton;
  lls->ops->destroy = LLSDestroy_Newton;
  PetscFunctionReturn(PETSC_SUCCESS);
}
