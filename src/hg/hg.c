/* HG: f(lambda) = E(w(lambda), lambda) and its hypergradient. Interface and dispatch; what both families
 * share. */
#include <petsctime.h>
#include <twofold/bound.h>
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/llsimpl.h>

PetscClassId HG_CLASSID;
static PetscFunctionList HGList = NULL;

static const char *const reasons[] = {"STOPPED",
                                      "DIVERGED_ADJOINT",
                                      "DIVERGED_LOWER",
                                      "DIVERGED_NANORINF",
                                      "DIVERGED_ITS",
                                      "ITERATING",
                                      "CONVERGED_ITS",
                                      "CONVERGED_RTOL",
                                      "CONVERGED_BOUND",
                                      "CONVERGED_ESTIMATE",
                                      "HGConvergedReason",
                                      "HG_",
                                      NULL};
const char *const *HGConvergedReasons = reasons + 5;
const char *const HGCertificates[] = {"none",          "bound",           "estimate", "both",
                                      "HGCertificate", "HG_CERTIFICATE_", NULL};
const char *const HGCertificateMus[] = {"formula", "ball", "HGCertificateMu", "HG_MU_", NULL};

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode HGRegisterAll(void)
{
  PetscFunctionBegin;
  if (HGList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Hypergradient", &HG_CLASSID));
  PetscCall(TwofoldListAdd(&HGList, HGITD, (TwofoldConstructor)HGCreate_ITD));
  PetscCall(TwofoldListAdd(&HGList, HGAID, (TwofoldConstructor)HGCreate_AID));
  PetscCall(TwofoldListAdd(&HGList, HGEXACT, (TwofoldConstructor)HGCreate_Exact));
  PetscCall(KSPRegister(KSPSWEEPCG, KSPCreate_SweepCG));
  PetscCall(KSPRegister(KSPFIXEDPOINT, KSPCreate_FixedPoint));
  PetscCall(KSPRegister(KSPCGNR, KSPCreate_CGNR));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGRegister(const char type[], PetscErrorCode (*create)(HG))
{
  PetscFunctionBegin;
  PetscCall(HGRegisterAll());
  PetscCall(TwofoldListAdd(&HGList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetRegistered(PetscInt *n, const char ***types)
{
  PetscFunctionBegin;
  PetscCall(HGRegisterAll());
  PetscCall(TwofoldListTypes(HGList, n, types));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCreate(MPI_Comm comm, HG *h)
{
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGRegisterAll());
  PetscCall(PetscHeaderCreate(hg, HG_CLASSID, "HG", "Hypergradient", "HG", comm, HGDestroy, HGView));
  PetscCall(LLSCreate(comm, &hg->lls));
  hg->estimate_rtol = 0.1;
  hg->estimate_max_it = 10;
  *h = hg;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGDestroy(HG *hg)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)hg)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(HGDestroyFolds_Private(*hg));
  PetscTryTypeMethod(*hg, destroy);
  PetscCall(StateDestroy(&(*hg)->x));
  PetscCall(StateDestroy(&(*hg)->accepted));
  PetscCall(HGDestroyEstimate_Private(*hg));
  PetscCall(VecDestroy(&(*hg)->g1));
  PetscCall(VecDestroy(&(*hg)->g2));
  PetscCall(VecDestroy(&(*hg)->r));
  PetscCall(LLSDestroy(&(*hg)->lls));
  PetscCall(BLPDestroy(&(*hg)->blp));
  PetscCall(PetscHeaderDestroy(hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetOptionsPrefix(HG hg, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)hg, prefix));
  PetscCall(LLSSetOptionsPrefix(hg->lls, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetType(HG hg, HGType type)
{
  PetscBool changed;

  PetscFunctionBegin;
  PetscCall(TwofoldSetType((PetscObject)hg, HGList, "hg_type", type, (TwofoldTypeFn)hg->ops->destroy, hg->ops,
                           sizeof(struct _HGOps), &changed));
  if (!changed) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(LLSSetRecord(hg->lls, NULL, NULL));
  PetscCall(HGDestroyFolds_Private(hg));
  hg->setup = PETSC_FALSE;
  hg->v = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetType(HG hg, HGType *type)
{
  PetscFunctionBegin;
  *type = ((PetscObject)hg)->type_name;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetBLP(HG hg, BLP blp)
{
  PetscFunctionBegin;
  PetscCall(PetscObjectReference((PetscObject)blp));
  PetscCall(BLPDestroy(&hg->blp));
  hg->blp = blp;
  PetscCall(HGDestroyFolds_Private(hg));
  PetscCall(LLSSetBLP(hg->lls, blp));
  hg->setup = hg->problem_tested = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetFromOptions(HG hg)
{
  char type[64];

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)hg);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-hg_type", "Hypergradient", "HGSetType", HGList, HGAID,
                               type, sizeof(type)));
  PetscCall(HGSetType(hg, type));
  PetscCall(PetscOptionsBool("-hg_monitor", "Print a line at each hypergradient", "HGSolve", hg->monitor,
                             &hg->monitor, NULL));
  PetscCall(PetscOptionsBool("-hg_converged_reason", "Print why the hypergradient ended",
                             "HGGetConvergedReason", hg->print_reason, &hg->print_reason, NULL));
  PetscCall(PetscOptionsBool("-hg_test", "Compare the first hypergradient with differences of f", "HGTest",
                             hg->test, &hg->test, NULL));
  PetscCall(PetscOptionsEnum("-hg_certificate", "What to tell of the hypergradient's error",
                             "HGSetCertificate", HGCertificates, (PetscEnum)hg->certificate,
                             (PetscEnum *)&hg->certificate, NULL));
  PetscCall(PetscOptionsEnum("-hg_certificate_mu", "The strong convexity that its bound is made of",
                             "HGSetCertificateMu", HGCertificateMus, (PetscEnum)hg->certificate_mu,
                             (PetscEnum *)&hg->certificate_mu, NULL));
  PetscCall(HGEstimateFromOptions_Private(hg, PetscOptionsObject));
  PetscCall(HGToleranceFromOptions_Private(hg, PetscOptionsObject));
  PetscCall(PetscOptionsViewer("-hg_view", "Print the hypergradient's settings", "HGView", NULL, NULL, NULL));
  PetscCall(PetscOptionsViewer("-hg_view_gradient", "View the hypergradient", "HGSolve", NULL, NULL, NULL));
  PetscCall(
      PetscOptionsViewer("-hg_view_solution", "View the lower-level iterate w", "HGSolve", NULL, NULL, NULL));
  PetscCall(PetscOptionsViewer("-hg_view_adjoint", "View the adjoint v (aid)", "HGSolve", NULL, NULL, NULL));
  PetscTryTypeMethod(hg, setfromoptions, PetscOptionsObject); /* last: it configures children, too */
  PetscOptionsEnd();
  if (!hg->ops->lower) PetscCall(LLSSetFromOptions(hg->lls));
  hg->from_options = PETSC_TRUE;
  if (hg->folds) PetscCall(HGSetFromOptionsFolds_Private(hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* grad1 E and the state: of the LLS's map, or where the type solves the lower level itself just w. */
static PetscErrorCode CreateStates(HG hg)
{
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(StateDestroy(&hg->x));
  PetscCall(StateDestroy(&hg->accepted));
  PetscCall(VecDestroy(&hg->g1));
  PetscCall(VecDestroy(&hg->g2));
  PetscCall(VecDestroy(&hg->r));
  PetscCall(HGDestroyEstimate_Private(hg));
  PetscCall(BLPCreateVecs(hg->blp, NULL, &hg->g1));
  if (hg->ops->lower) {
    PetscCall(StateCreate(hg->g1, 1, &hg->x));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(LLSSetUp(hg->lls));
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(FPMCreateState(fpm, &hg->x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetUp(HG hg)
{
  PetscInt F;

  PetscFunctionBegin;
  if (hg->setup) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(hg->blp, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONGSTATE, "HGSetBLP() first");
  if (!((PetscObject)hg)->type_name) PetscCall(HGSetType(hg, HGAID));
  PetscCall(HGCheckTolerance_Private(hg));
  PetscCall(BLPGetFolds(hg->blp, &F, NULL, NULL, NULL));
  if (F) {
    PetscCall(HGSetUpFolds_Private(hg));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CreateStates(hg));
  PetscTryTypeMethod(hg, setup);
  hg->setup = PETSC_TRUE;
  if (!hg->is_fold) PetscCall(PetscObjectViewFromOptions((PetscObject)hg, NULL, "-hg_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGView(HG hg, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)hg, &viewer, &ascii));
  if (!ascii) PetscFunctionReturn(PETSC_SUCCESS);
  if (hg->folds) {
    PetscCall(HGViewFolds_Private(hg, viewer));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscViewerASCIIPushTab(viewer));
  if (!hg->ops->lower) PetscCall(LLSView(hg->lls, viewer));
  PetscTryTypeMethod(hg, view, viewer);
  if (hg->certificate != HG_CERTIFICATE_NONE)
    PetscCall(PetscViewerASCIIPrintf(viewer, "error told by %s, mu by %s\n", HGCertificates[hg->certificate],
                                     HGCertificateMus[hg->certificate_mu]));
  PetscCall(HGViewTolerance_Private(hg, viewer));
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetBLP(HG hg, BLP *blp)
{
  PetscFunctionBegin;
  *blp = hg->blp;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetLLS(HG hg, LLS *lls)
{
  PetscFunctionBegin;
  *lls = hg->lls;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetConvergedReason(HG hg, HGConvergedReason *reason)
{
  PetscFunctionBegin;
  *reason = hg->report.reason;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetReport(HG hg, HGReport *report)
{
  PetscFunctionBegin;
  *report = hg->report;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetCertificate(HG hg, HGCertificate what)
{
  PetscFunctionBegin;
  hg->certificate = what;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetCertificate(HG hg, HGCertificate *what)
{
  PetscFunctionBegin;
  *what = hg->certificate;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetCertificateMu(HG hg, HGCertificateMu mu)
{
  PetscFunctionBegin;
  hg->certificate_mu = mu;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetState(HG hg, State *x)
{
  PetscFunctionBegin;
  PetscCall(HGCheckOneLevel_Private(hg, "HGGetState()"));
  *x = hg->x;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetAdjoint(HG hg, State *v)
{
  PetscFunctionBegin;
  PetscCall(HGCheckOneLevel_Private(hg, "HGGetAdjoint()"));
  *v = hg->v;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ stop */

PetscErrorCode HGPoll_Private(HG hg, HGStage stage, PetscBool *stop)
{
  PetscFunctionBegin;
  if (hg->stop && !hg->stopped) PetscCallBack("stop hook", (*hg->stop)(hg, stage, &hg->stopped, hg->stopctx));
  *stop = hg->stopped;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PollLower(void *ctx, PetscInt its, PetscBool *stop)
{
  PetscFunctionBegin;
  (void)its;
  PetscCall(HGPoll_Private((HG)ctx, HG_STAGE_LOWER, stop));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetStop(HG hg, HGStopFn stop, void *ctx)
{
  PetscFunctionBegin;
  hg->stop = stop;
  hg->stopctx = ctx;
  PetscCall(LLSSetPoll_Private(hg->lls, stop ? PollLower : NULL, hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ solve */

PetscErrorCode HGGetStart_Private(HG hg, State x)
{
  PetscBool warm;

  PetscFunctionBegin;
  PetscCall(LLSGetWarmStart(hg->lls, &warm));
  if (warm && hg->accepted)
    PetscCall(StateCopy(hg->accepted, x));
  else
    PetscCall(StateZero(x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGStartLower_Private(HG hg, Vec lambda)
{
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(HGGetStart_Private(hg, hg->x));
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(BoundProvideConstants(fpm, lambda, hg->x->v[0], NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x <- w_t(lambda) by the LLS. */
static PetscErrorCode IterateLowerLevel(HG hg, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(HGStartLower_Private(hg, lambda));
  PetscCall(LLSSolve(hg->lls, lambda, hg->x));
  PetscCall(LLSGetConvergedReason(hg->lls, &hg->report.lower_reason));
  PetscCall(LLSGetIterationNumber(hg->lls, &hg->report.lower_its));
  PetscCall(LLSGetProducts(hg->lls, &hg->report.lower_products));
  PetscCall(LLSGetChange(hg->lls, &hg->report.lower_change));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveLowerLevel(HG hg, Vec lambda)
{
  PetscLogDouble begin, end;

  PetscFunctionBegin;
  PetscCall(PetscTime(&begin));
  if (hg->ops->lower)
    PetscUseTypeMethod(hg, lower, lambda);
  else
    PetscCall(IterateLowerLevel(hg, lambda));
  PetscCall(PetscTime(&end));
  hg->report.lower_time = end - begin;
  switch (hg->report.lower_reason) {
  case LLS_DIVERGED_NANORINF:
  case LLS_DIVERGED_DTOL:
  case LLS_DIVERGED_LINEAR_SOLVE:
    hg->report.reason = HG_DIVERGED_LOWER;
    break;
  case LLS_STOPPED:
    hg->report.reason = HG_STOPPED;
    break;
  default:
    break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void ResetReport(HG hg)
{
  static const char *const none = "there is no hypergradient";

  hg->report = (HGReport){
      .reason = HG_ITERATING,
      .adjoint_residual = -1,
      .lower_change = -1,
      .bound = HGNoBound_Private(HGWantsBound_Private(hg) ? none : "not asked for: -hg_certificate bound"),
      .estimate =
          HGNoBound_Private(HGWantsEstimate_Private(hg) ? none : "not asked for: -hg_certificate estimate")};
  HGBeginEstimate_Private(hg);
  hg->stopped = PETSC_FALSE;
}

/* The reason of a hypergradient whose parts all ended finite. */
static HGConvergedReason JudgeAccuracy(HG hg)
{
  const HGReport *r = &hg->report;

  if (r->lower_reason == LLS_DIVERGED_ITS || r->lower_reason == LLS_DIVERGED_LINE_SEARCH ||
      r->adjoint_reason == KSP_DIVERGED_ITS)
    return HG_DIVERGED_ITS;
  const PetscBool fixed =
      (PetscBool)(r->lower_reason == LLS_CONVERGED_ITS || r->adjoint_reason == KSP_CONVERGED_ITS);
  return fixed ? HG_CONVERGED_ITS : HG_CONVERGED_RTOL;
}

/* f and g where there is none. */
static PetscErrorCode SetNothing(PetscReal *f, Vec g)
{
  PetscFunctionBegin;
  *f = (PetscReal)INFINITY; /* PETSC_INFINITY is a finite number */
  PetscCall(VecZeroEntries(g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ComputeHypergradient(HG hg, Vec lambda, PetscReal *f, Vec g)
{
  PetscLogDouble begin, end;

  PetscFunctionBegin;
  if (HGHasTolerance_Private(hg)) {
    PetscCall(HGSolveToTolerance_Private(hg, lambda, f, g));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscTryTypeMethod(hg, prepare, lambda);
  PetscCall(SolveLowerLevel(hg, lambda));
  PetscCall(HGTestProblem_Private(hg, lambda));
  if (hg->report.reason) {
    PetscCall(SetNothing(f, g));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BLPUpper(hg->blp, lambda, hg->x->v[0], f, hg->g1, g)); /* g = grad2 E */
  PetscCall(HGKeepUpper_Private(hg, g));
  PetscCall(PetscTime(&begin));
  PetscCall(PetscLogEventBegin(TWOFOLD_AdjointSolve, hg, 0, 0, 0));
  PetscUseTypeMethod(hg, adjoint, lambda, g); /* g += w'(lambda)^T grad1 E */
  PetscCall(PetscLogEventEnd(TWOFOLD_AdjointSolve, hg, 0, 0, 0));
  PetscCall(PetscTime(&end));
  hg->report.adjoint_time = end - begin;
  if (hg->stopped) {
    hg->report.reason = HG_STOPPED; /* whatever became of the adjoint */
    PetscCall(SetNothing(f, g));
  }
  if (hg->report.reason) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecNorm(g, NORM_2, &hg->report.norm));
  const PetscBool finite = (PetscBool) !(PetscIsInfOrNanReal(hg->report.norm) || PetscIsInfOrNanReal(*f));
  hg->report.reason = finite ? JudgeAccuracy(hg) : HG_DIVERGED_NANORINF;
  PetscCall(HGComputeBound_Private(hg, lambda));
  PetscCall(HGComputeEstimate_Private(hg, lambda, g));
  hg->report.certificate_products = hg->report.bound.products + hg->report.estimate.products;
  PetscCall(HGCorrect_Private(hg, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Report(HG hg, PetscReal f, Vec g)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  const HGReport *r = &hg->report;

  PetscFunctionBegin;
  if (hg->is_fold) PetscFunctionReturn(PETSC_SUCCESS);
  if (hg->monitor) {
    PetscCall(PetscPrintf(comm,
                          "hypergradient: f %.12g, ||g|| %.12g, lower %" PetscInt_FMT
                          " steps, adjoint %" PetscInt_FMT " steps, residual %.3g",
                          (double)f, (double)r->norm, r->lower_its, r->adjoint_its,
                          (double)r->adjoint_residual));
    if (r->bound.standing) PetscCall(PetscPrintf(comm, ", error bound %.3g", (double)r->bound.value));
    if (r->estimate.standing)
      PetscCall(PetscPrintf(comm, ", error estimate %.3g", (double)r->estimate.value));
    PetscCall(PetscPrintf(comm, "\n"));
  }
  if (hg->print_reason)
    PetscCall(PetscPrintf(comm, "Hypergradient ended by %s (lower level %s, adjoint %s)\n",
                          HGConvergedReasons[r->reason], LLSConvergedReasons[r->lower_reason],
                          r->adjoint_reason ? KSPConvergedReasons[r->adjoint_reason] : "not a KSP"));
  PetscCall(PetscObjectSetName((PetscObject)g, "gradient"));
  if (r->reason >= HG_DIVERGED_NANORINF) /* there is one */
    PetscCall(VecViewFromOptions(g, (PetscObject)hg, "-hg_view_gradient"));
  if (hg->folds) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscObjectSetName((PetscObject)hg->x->v[0], "w"));
  PetscCall(VecViewFromOptions(hg->x->v[0], (PetscObject)hg, "-hg_view_solution"));
  if (hg->v) {
    PetscCall(PetscObjectSetName((PetscObject)hg->v->v[0], "v"));
    PetscCall(VecViewFromOptions(hg->v->v[0], (PetscObject)hg, "-hg_view_adjoint"));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSolve(HG hg, Vec lambda, PetscReal *f, Vec g)
{
  PetscFunctionBegin;
  PetscCall(HGSetUp(hg));
  ResetReport(hg);
  PetscCall(PetscLogEventBegin(TWOFOLD_HGSolve, hg, lambda, g, 0));
  if (hg->folds)
    PetscCall(HGSolveFolds_Private(hg, lambda, f, g));
  else
    PetscCall(ComputeHypergradient(hg, lambda, f, g));
  PetscCall(PetscLogEventEnd(TWOFOLD_HGSolve, hg, lambda, g, 0));
  PetscCall(HGTestGradient_Private(hg, lambda, *f, g));
  PetscCall(Report(hg, *f, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGEvaluate(HG hg, Vec lambda, PetscReal *f)
{
  PetscFunctionBegin;
  PetscCall(HGSetUp(hg));
  ResetReport(hg);
  if (hg->folds) {
    PetscCall(HGSolveFolds_Private(hg, lambda, f, NULL));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (HGHasTolerance_Private(hg)) {
    PetscCall(HGEvaluateToTolerance_Private(hg, lambda, f));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(LLSSetRecord(hg->lls, NULL, NULL));
  PetscCall(SolveLowerLevel(hg, lambda));
  *f = (PetscReal)INFINITY; /* PETSC_INFINITY is a finite number */
  if (hg->report.reason) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPUpper(hg->blp, lambda, hg->x->v[0], f, NULL, NULL));
  hg->report.adjoint_reason = KSP_CONVERGED_ITERATING;
  hg->report.reason = PetscIsInfOrNanReal(*f) ? HG_DIVERGED_NANORINF : JudgeAccuracy(hg);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGMeasure(HG hg, BLPSet set, Vec lambda, BLPMetrics *metrics)
{
  PetscFunctionBegin;
  PetscCheck(hg->setup, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONGSTATE,
             "HGSolve() or HGEvaluate() first: there is no state to measure at");
  if (hg->folds)
    PetscCall(HGMeasureFolds_Private(hg, set, lambda, metrics));
  else
    PetscCall(BLPEvaluate(hg->blp, set, lambda, hg->x->v[0], metrics));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ warm starts and checkpoints */

/* Whether the lower level's next solve starts from the accepted state. */
static PetscErrorCode StartsWarm(HG hg, PetscBool *warm)
{
  PetscFunctionBegin;
  PetscCall(LLSGetWarmStart(hg->lls, warm));
  if (hg->ops->lower) *warm = PETSC_FALSE; /* what it does does not depend on a start */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGAccept(HG hg)
{
  PetscBool warm;

  PetscFunctionBegin;
  if (hg->folds) {
    PetscCall(HGAcceptFolds_Private(hg));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(StartsWarm(hg, &warm));
  if (warm) {
    if (!hg->accepted) PetscCall(StateCreate(hg->x->v[0], hg->x->n, &hg->accepted));
    PetscCall(StateCopy(hg->x, hg->accepted));
  }
  PetscTryTypeMethod(hg, accept);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGKeptAdd_Private(HGKept *kept, const char name[], State x)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < x->n; k++) {
    char *const own = kept->name[kept->n];
    if (k)
      PetscCall(PetscSNPrintf(own, sizeof(kept->name[0]), "%s_prev%" PetscInt_FMT, name, k));
    else
      PetscCall(PetscStrncpy(own, name, sizeof(kept->name[0])));
    kept->v[kept->n++] = x->v[k];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetKept_Private(HG hg, PetscBool make, HGKept *kept)
{
  PetscBool warm;

  PetscFunctionBegin;
  kept->n = 0;
  PetscCall(StartsWarm(hg, &warm));
  if (make && warm && !hg->accepted) PetscCall(StateCreate(hg->x->v[0], hg->x->n, &hg->accepted));
  if (hg->accepted && (warm || !make)) PetscCall(HGKeptAdd_Private(kept, "w", hg->accepted));
  PetscTryTypeMethod(hg, kept, make, kept);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The maps whose constants belong to a run: the lower level's, and where there is one the adjoint's. */
static PetscErrorCode GetMaps(HG hg, FPM map[2])
{
  PetscFunctionBegin;
  map[1] = NULL;
  PetscCall(LLSGetFPM(hg->lls, &map[0]));
  PetscTryTypeMethod(hg, adjointmap, &map[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSaveState(HG hg, PetscViewer viewer)
{
  HGKept kept;
  FPM map[2];

  PetscFunctionBegin;
  if (hg->folds) {
    PetscCall(HGSaveStateFolds_Private(hg, viewer));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(GetMaps(hg, map));
  for (int m = 0; m < 2 && map[m]; m++) PetscCall(HGSaveConstants_Private(map[m], viewer));
  PetscCall(HGGetKept_Private(hg, PETSC_FALSE, &kept));
  for (PetscInt k = 0; k < kept.n; k++) {
    PetscCall(PetscObjectSetName((PetscObject)kept.v[k], kept.name[k]));
    PetscCall(VecView(kept.v[k], viewer));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGRestoreState(HG hg, PetscViewer viewer)
{
  HGKept kept;
  FPM map[2];

  PetscFunctionBegin;
  PetscCall(HGSetUp(hg));
  if (hg->folds) {
    PetscCall(HGRestoreStateFolds_Private(hg, viewer));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(GetMaps(hg, map));
  for (int m = 0; m < 2 && map[m]; m++) PetscCall(HGRestoreConstants_Private(map[m], viewer));
  PetscCall(HGGetKept_Private(hg, PETSC_TRUE, &kept));
  for (PetscInt k = 0; k < kept.n; k++) {
    PetscCall(PetscObjectSetName((PetscObject)kept.v[k], kept.name[k]));
    PetscCall(TwofoldVecRestore(kept.v[k], viewer));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetMemory(HG hg, PetscLogDouble *bytes)
{
  PetscInt nlocal;
  PetscBool warm;

  PetscFunctionBegin;
  PetscCall(HGSetUp(hg));
  if (hg->folds) {
    PetscCall(HGGetMemoryFolds_Private(hg, bytes));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(StartsWarm(hg, &warm));
  PetscCall(VecGetLocalSize(hg->g1, &nlocal));
  /* the state, the map's work vector, grad1 E; and the accepted state */
  *bytes = (PetscLogDouble)nlocal * sizeof(PetscScalar) * (PetscLogDouble)(hg->x->n * (warm ? 2 : 1) + 2);
  PetscCall(LLSGetMemory_Private(hg->lls, bytes));
  PetscTryTypeMethod(hg, memory, bytes);
  PetscCall(HGEstimateAddMemory_Private(hg, bytes));
  PetscFunctionReturn(PETSC_SUCCESS);
}
