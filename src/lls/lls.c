/* LLS: the lower-level solver. Interface and dispatch; the test and the hooks all types share. */
#include <twofold/impl/llsimpl.h>

PetscClassId LLS_CLASSID;
static PetscFunctionList LLSList = NULL;

static const char *const reasons[] = {"DIVERGED_LINE_SEARCH",
                                      "DIVERGED_LINEAR_SOLVE",
                                      "STOPPED",
                                      "DIVERGED_DTOL",
                                      "DIVERGED_NANORINF",
                                      "DIVERGED_ITS",
                                      "ITERATING",
                                      "CONVERGED_ITS",
                                      "CONVERGED_RTOL",
                                      "CONVERGED_ATOL",
                                      "LLSConvergedReason",
                                      "LLS_",
                                      NULL};
const char *const *LLSConvergedReasons = reasons + 6;

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode LLSRegisterAll(void)
{
  PetscFunctionBegin;
  if (LLSList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Lower-Level Solver", &LLS_CLASSID));
  PetscCall(TwofoldListAdd(&LLSList, LLSANDERSON, (TwofoldConstructor)LLSCreate_Anderson));
  PetscCall(TwofoldListAdd(&LLSList, LLSNEWTON, (TwofoldConstructor)LLSCreate_Newton));
  PetscCall(TwofoldListAdd(&LLSList, LLSPICARD, (TwofoldConstructor)LLSCreate_Picard));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSRegister(const char type[], PetscErrorCode (*create)(LLS))
{
  PetscFunctionBegin;
  PetscCall(LLSRegisterAll());
  PetscCall(TwofoldListAdd(&LLSList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetRegistered(PetscInt *n, const char ***types)
{
  PetscFunctionBegin;
  PetscCall(LLSRegisterAll());
  PetscCall(TwofoldListTypes(LLSList, n, types));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSCreate(MPI_Comm comm, LLS *solver)
{
  LLS lls;

  PetscFunctionBegin;
  PetscCall(LLSRegisterAll());
  PetscCall(
      PetscHeaderCreate(lls, LLS_CLASSID, "LLS", "Lower-level solver", "LLS", comm, LLSDestroy, LLSView));
  lls->rtol = 0;
  lls->atol = 0;
  lls->dtol = 1e6;
  lls->max_it = 100;
  lls->change = -1;
  PetscCall(FPMCreate(comm, &lls->fpm));
  *solver = lls;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSDestroy(LLS *lls)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)lls)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscTryTypeMethod(*lls, destroy);
  PetscCall(PetscFree((*lls)->kept.change));
  PetscCall(FPMDestroy(&(*lls)->fpm));
  PetscCall(BLPDestroy(&(*lls)->blp));
  PetscCall(PetscHeaderDestroy(lls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetOptionsPrefix(LLS lls, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)lls, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetType(LLS lls, LLSType type)
{
  PetscBool same, changed;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)lls, type, &same));
  if (!same) lls->records = PETSC_FALSE; /* until the type says otherwise */
  PetscCall(TwofoldSetType((PetscObject)lls, LLSList, "lls_type", type, (TwofoldTypeFn)lls->ops->destroy,
                           lls->ops, sizeof(struct _LLSOps), &changed));
  if (changed) lls->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetType(LLS lls, LLSType *type)
{
  PetscFunctionBegin;
  *type = ((PetscObject)lls)->type_name;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetPrecond(LLS lls, Precond *precond)
{
  PetscFunctionBegin;
  *precond = lls->precond;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSCanRecord(LLS lls, PetscBool *can)
{
  PetscFunctionBegin;
  *can = lls->records;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetBLP(LLS lls, BLP blp)
{
  PetscFunctionBegin;
  PetscCall(PetscObjectReference((PetscObject)blp));
  PetscCall(BLPDestroy(&lls->blp));
  lls->blp = blp;
  PetscCall(FPMSetBLP(lls->fpm, blp));
  lls->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetFPM(LLS lls, FPM *fpm)
{
  PetscFunctionBegin;
  *fpm = lls->fpm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetTolerances(LLS lls, PetscReal rtol, PetscReal atol, PetscInt max_it)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)lls);

  PetscFunctionBegin;
  if (rtol != (PetscReal)PETSC_DEFAULT) {
    PetscCheck(rtol >= 0 && rtol < 1, comm, PETSC_ERR_ARG_OUTOFRANGE, "-lls_rtol %g: must be in [0, 1)",
               (double)rtol);
    lls->rtol = rtol;
  }
  if (atol != (PetscReal)PETSC_DEFAULT) {
    PetscCheck(atol >= 0 && !PetscIsInfReal(atol), comm, PETSC_ERR_ARG_OUTOFRANGE,
               "-lls_atol %g: must be finite and not negative", (double)atol);
    lls->atol = atol;
  }
  if (max_it != PETSC_DEFAULT) {
    PetscCheck(max_it >= 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
               "-lls_max_it %" PetscInt_FMT ": must not be negative", max_it);
    lls->max_it = max_it;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetTolerances(LLS lls, PetscReal *rtol, PetscReal *atol, PetscInt *max_it)
{
  PetscFunctionBegin;
  if (rtol) *rtol = lls->rtol;
  if (atol) *atol = lls->atol;
  if (max_it) *max_it = lls->max_it;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetWarmStart(LLS lls, PetscBool warm)
{
  PetscFunctionBegin;
  lls->warm_start = warm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetWarmStart(LLS lls, PetscBool *warm)
{
  PetscFunctionBegin;
  *warm = lls->warm_start;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetRecord(LLS lls, LLSRecordFn record, void *ctx)
{
  PetscFunctionBegin;
  lls->record = record;
  lls->recordctx = ctx;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetStop(LLS lls, LLSStopFn stop, void *ctx)
{
  PetscFunctionBegin;
  lls->stop = stop;
  lls->stopctx = ctx;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetPoll_Private(LLS lls, LLSStopFn poll, void *ctx)
{
  PetscFunctionBegin;
  lls->poll = poll;
  lls->pollctx = ctx;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSMonitorSet(LLS lls, LLSMonitorFn monitor, void *ctx)
{
  PetscFunctionBegin;
  lls->usermonitor = monitor;
  lls->monitorctx = ctx;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetFromOptions(LLS lls)
{
  char type[64];
  PetscReal rtol = lls->rtol, atol = lls->atol;
  PetscInt max_it = lls->max_it;

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)lls);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-lls_type", "Lower-level solver", "LLSSetType", LLSList,
                               LLSPICARD, type, sizeof(type)));
  PetscCall(PetscOptionsInt("-lls_max_it", "Steps at most; with -lls_rtol 0, exactly", "LLSSetTolerances",
                            max_it, &max_it, NULL));
  PetscCall(PetscOptionsReal("-lls_rtol", "Stop at ||Phi(x) - x|| <= rtol ||x||", "LLSSetTolerances", rtol,
                             &rtol, NULL));
  PetscCall(
      PetscOptionsReal("-lls_atol", "Stop at ||Phi(x) - x|| <= atol", "LLSSetTolerances", atol, &atol, NULL));
  PetscCall(PetscOptionsReal("-lls_dtol", "Diverged when ||Phi(x) - x|| grows by this factor", "LLS",
                             lls->dtol, &lls->dtol, NULL));
  PetscCall(PetscOptionsBool("-lls_warm_start", "Start from the accepted state of the last upper step",
                             "LLSSetWarmStart", lls->warm_start, &lls->warm_start, NULL));
  PetscCall(PetscOptionsBool("-lls_monitor", "Print ||Phi(x) - x|| at each step", "LLSMonitorSet",
                             lls->monitor, &lls->monitor, NULL));
  PetscCall(PetscOptionsBool("-lls_converged_reason", "Print why the solver stopped", "LLSGetConvergedReason",
                             lls->print_reason, &lls->print_reason, NULL));
  PetscCall(PetscOptionsViewer("-lls_view", "Print the solver", "LLSView", NULL, NULL, NULL));
  PetscCall(LLSSetType(lls, type)); /* which may print the help of its children's classes */
  PetscTryTypeMethod(lls, setfromoptions, PetscOptionsObject);
  PetscOptionsEnd();
  PetscCheck(lls->dtol > 1, PetscObjectComm((PetscObject)lls), PETSC_ERR_ARG_OUTOFRANGE,
             "-lls_dtol %g: the growth that is divergence must be more than 1", (double)lls->dtol);
  PetscCall(LLSSetTolerances(lls, rtol, atol, max_it));
  PetscCall(TwofoldChildPrefix((PetscObject)lls->fpm, (PetscObject)lls, "lls_"));
  PetscCall(FPMSetFromOptions(lls->fpm));
  PetscTryTypeMethod(lls, configurechildren);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetUp(LLS lls)
{
  PetscFunctionBegin;
  if (lls->setup) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(lls->blp, PetscObjectComm((PetscObject)lls), PETSC_ERR_ARG_WRONGSTATE, "LLSSetBLP() first");
  if (!((PetscObject)lls)->type_name) PetscCall(LLSSetType(lls, LLSPICARD));
  PetscCall(FPMSetUp(lls->fpm));
  PetscTryTypeMethod(lls, setup);
  lls->setup = PETSC_TRUE;
  PetscCall(PetscObjectViewFromOptions((PetscObject)lls, NULL, "-lls_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSView(LLS lls, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)lls, &viewer, &ascii));
  if (!ascii) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscViewerASCIIPushTab(viewer));
  if (LLSNeedsChange_Private(lls) && (lls->rtol > 0 || lls->atol > 0))
    PetscCall(PetscViewerASCIIPrintf(viewer, "at most %" PetscInt_FMT " steps, rtol %g, atol %g, %s start\n",
                                     lls->max_it, (double)lls->rtol, (double)lls->atol,
                                     lls->warm_start ? "warm" : "cold"));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer, "exactly %" PetscInt_FMT " steps, %s start\n", lls->max_it,
                                     lls->warm_start ? "warm" : "cold"));
  PetscTryTypeMethod(lls, view, viewer);
  PetscCall(FPMView(lls->fpm, viewer));
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintReason(LLS lls)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)lls);

  PetscFunctionBegin;
  PetscCall(PetscPrintf(comm, "Lower-level solve ended by %s after %" PetscInt_FMT " steps",
                        LLSConvergedReasons[lls->reason], lls->its));
  if (lls->products) PetscCall(PetscPrintf(comm, ", %" PetscInt_FMT " products", lls->products));
  PetscCall(PetscPrintf(comm, "\n"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSolve(LLS lls, Vec lambda, State x)
{
  PetscFunctionBegin;
  PetscCall(LLSSetUp(lls));
  PetscCall(FPMPrepare(lls->fpm, lambda));
  lls->its = lls->products = 0;
  lls->change = lls->first_change = -1;
  lls->reason = LLS_ITERATING;
  lls->polled = PETSC_FALSE;
  PetscCall(PetscLogEventBegin(TWOFOLD_LLSSolve, lls, lambda, 0, 0));
  PetscUseTypeMethod(lls, solve, lambda, x);
  PetscCall(PetscLogEventEnd(TWOFOLD_LLSSolve, lls, lambda, 0, 0));
  PetscCheck(lls->reason != LLS_ITERATING, PetscObjectComm((PetscObject)lls), PETSC_ERR_PLIB,
             "the lower-level solver returned without a reason");
  if (lls->print_reason) PetscCall(PrintReason(lls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSContinue_Private(LLS lls, Vec lambda, State x)
{
  PetscFunctionBegin;
  lls->resume = PETSC_TRUE;
  PetscCall(LLSSolve(lls, lambda, x));
  lls->resume = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetConvergedReason(LLS lls, LLSConvergedReason *reason)
{
  PetscFunctionBegin;
  *reason = lls->reason;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetIterationNumber(LLS lls, PetscInt *its)
{
  PetscFunctionBegin;
  *its = lls->its;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetChange(LLS lls, PetscReal *change)
{
  PetscFunctionBegin;
  *change = lls->change;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetProducts(LLS lls, PetscInt *products)
{
  PetscFunctionBegin;
  *products = lls->products;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSRepeatStep_Private(LLS lls, Vec lambda, State x)
{
  PetscReal change;

  PetscFunctionBegin;
  PetscCall(FPMStep(lls->fpm, lambda, x, LLSNeedsChange_Private(lls) ? &change : NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSGetMemory_Private(LLS lls, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  PetscCall(LLSSetUp(lls));
  PetscTryTypeMethod(lls, memory, bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ shared by the types */

PetscBool LLSNeedsChange_Private(LLS lls)
{
  return (PetscBool)(lls->rtol > 0 || lls->atol > 0 || lls->monitor || lls->usermonitor || lls->kept.on);
}

PetscErrorCode LLSKeepChanges_Private(LLS lls, PetscBool keep)
{
  PetscFunctionBegin;
  lls->kept.on = keep;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KeepChange(LLS lls)
{
  PetscFunctionBegin;
  if (lls->its > lls->kept.space) {
    lls->kept.space = PetscMax(64, 2 * lls->its);
    PetscCall(PetscRealloc(sizeof(PetscReal) * (size_t)lls->kept.space, &lls->kept.change));
  }
  lls->kept.change[lls->its - 1] = lls->change;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSRecord_Private(LLS lls, State x)
{
  PetscFunctionBegin;
  if (lls->record) PetscCallBack("record hook", (*lls->record)(lls->recordctx, lls->its, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether all of x is finite: for solves that computed no norm on the way. */
static PetscErrorCode TestFinite(LLS lls, State x)
{
  PetscReal norm;

  PetscFunctionBegin;
  PetscCall(StateNorm(x, &norm));
  if (PetscIsInfOrNanReal(norm)) lls->reason = LLS_DIVERGED_NANORINF;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestChange(LLS lls, State x)
{
  const PetscBool tolerance = (PetscBool)(lls->rtol > 0 || lls->atol > 0);
  PetscReal norm = 0;

  PetscFunctionBegin;
  if (lls->first_change < 0) lls->first_change = lls->change;
  if (lls->rtol > 0) PetscCall(StateNorm(x, &norm));
  if (PetscIsInfOrNanReal(lls->change) || PetscIsInfOrNanReal(norm))
    lls->reason = LLS_DIVERGED_NANORINF;
  else if (tolerance && lls->change > lls->dtol * lls->first_change) /* watched, a fixed number stays fixed */
    lls->reason = LLS_DIVERGED_DTOL;
  else if (lls->rtol > 0 && lls->change <= lls->rtol * norm)
    lls->reason = LLS_CONVERGED_RTOL;
  else if (lls->atol > 0 && lls->change <= lls->atol)
    lls->reason = LLS_CONVERGED_ATOL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSPoll_Private(LLS lls, PetscBool *stop)
{
  PetscFunctionBegin;
  if (lls->poll && !lls->polled)
    PetscCallBack("stop hook", (*lls->poll)(lls->pollctx, lls->its, &lls->polled));
  *stop = lls->polled;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSTest_Private(LLS lls, State x)
{
  const PetscBool tolerance = (PetscBool)(lls->rtol > 0 || lls->atol > 0);
  PetscBool stop = PETSC_FALSE;

  PetscFunctionBegin;
  if (lls->change != -1) { /* nor for NaN */
    if (lls->kept.on && lls->its > 0) PetscCall(KeepChange(lls));
    if (lls->monitor)
      PetscCall(PetscPrintf(PetscObjectComm((PetscObject)lls),
                            "  %3" PetscInt_FMT " lower level ||Phi(x) - x|| %14.12e\n", lls->its,
                            (double)lls->change));
    if (lls->usermonitor)
      PetscCallBack("monitor", (*lls->usermonitor)(lls, lls->its, lls->change, lls->monitorctx));
    PetscCall(TestChange(lls, x));
  }
  if (lls->reason == LLS_ITERATING && lls->its >= lls->max_it) {
    lls->reason = tolerance ? LLS_DIVERGED_ITS : LLS_CONVERGED_ITS;
    PetscCall(TestFinite(lls, x));
  }
  if (lls->reason == LLS_ITERATING && lls->its > 0 && lls->stop) {
    PetscCallBack("stop hook", (*lls->stop)(lls->stopctx, lls->its, &stop));
    if (stop) lls->reason = LLS_STOPPED;
  }
  if (lls->reason == LLS_ITERATING && lls->its > 0) {
    PetscCall(LLSPoll_Private(lls, &stop));
    if (stop) lls->reason = LLS_STOPPED;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
