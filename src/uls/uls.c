/* ULS: the upper-level solver. Interface and dispatch; what all types share: the point and its monitors. */
#include <petsctime.h>
#include <petscviewerhdf5.h>
#include <twofold/impl/ulsimpl.h>

PetscClassId ULS_CLASSID;
static PetscFunctionList ULSList = NULL;

static const char *const reasons[] = {"STOPPED",
                                      "DIVERGED_NANORINF",
                                      "DIVERGED_INEXACT",
                                      "DIVERGED_HYPERGRADIENT",
                                      "ITERATING",
                                      "CONVERGED_ITS",
                                      "CONVERGED_GATOL",
                                      "ULSConvergedReason",
                                      "ULS_",
                                      NULL};
const char *const *ULSConvergedReasons = reasons + 4;

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode ULSRegisterAll(void)
{
  PetscFunctionBegin;
  if (ULSList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Upper-Level Solver", &ULS_CLASSID));
  PetscCall(TwofoldListAdd(&ULSList, ULSDESCENT, (TwofoldConstructor)ULSCreate_Descent));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSRegister(const char type[], PetscErrorCode (*create)(ULS))
{
  PetscFunctionBegin;
  PetscCall(ULSRegisterAll());
  PetscCall(TwofoldListAdd(&ULSList, type, (TwofoldConstructor)create));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSCreate(MPI_Comm comm, ULS *solver)
{
  ULS uls;

  PetscFunctionBegin;
  PetscCall(ULSRegisterAll());
  PetscCall(
      PetscHeaderCreate(uls, ULS_CLASSID, "ULS", "Upper-level solver", "ULS", comm, ULSDestroy, ULSView));
  uls->step = 1;
  uls->max_it = 100;
  uls->step_on_inexact = PETSC_TRUE;
  PetscCall(HGCreate(comm, &uls->hg));
  *solver = uls;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSDestroy(ULS *uls)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)uls)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscTryTypeMethod(*uls, destroy);
  PetscCall(VecDestroy(&(*uls)->g));
  PetscCall(HGDestroy(&(*uls)->hg));
  PetscCall(BLPDestroy(&(*uls)->blp));
  PetscCall(PetscHeaderDestroy(uls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSetOptionsPrefix(ULS uls, const char prefix[])
{
  PetscFunctionBegin;
  PetscCall(PetscObjectSetOptionsPrefix((PetscObject)uls, prefix));
  PetscCall(HGSetOptionsPrefix(uls->hg, prefix));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSetType(ULS uls, ULSType type)
{
  PetscBool changed;

  PetscFunctionBegin;
  PetscCall(TwofoldSetType((PetscObject)uls, ULSList, "uls_type", type, (TwofoldTypeFn)uls->ops->destroy,
                           uls->ops, sizeof(struct _ULSOps), &changed));
  if (changed) uls->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSetBLP(ULS uls, BLP blp)
{
  PetscFunctionBegin;
  PetscCall(PetscObjectReference((PetscObject)blp));
  PetscCall(BLPDestroy(&uls->blp));
  uls->blp = blp;
  PetscCall(HGSetBLP(uls->hg, blp));
  uls->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetHG(ULS uls, HG *hg)
{
  PetscFunctionBegin;
  *hg = uls->hg;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSetStep(ULS uls, PetscReal step)
{
  PetscFunctionBegin;
  PetscCheck(step > 0 && !PetscIsInfReal(step), PetscObjectComm((PetscObject)uls), PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_step %g: the step size must be positive and finite", (double)step);
  uls->step = step;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSetMaximumIterations(ULS uls, PetscInt max_it)
{
  PetscFunctionBegin;
  PetscCheck(max_it >= 0, PetscObjectComm((PetscObject)uls), PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_max_it %" PetscInt_FMT ": must not be negative", max_it);
  uls->max_it = max_it;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetMaximumIterations(ULS uls, PetscInt *max_it)
{
  PetscFunctionBegin;
  *max_it = uls->max_it;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSMonitorSet(ULS uls, ULSMonitorFn monitor, void *ctx)
{
  PetscFunctionBegin;
  uls->usermonitor = monitor;
  uls->monitorctx = ctx;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSetStepHook(ULS uls, ULSStepFn hook, void *ctx)
{
  PetscFunctionBegin;
  uls->stephook = hook;
  uls->stephookctx = ctx;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSetFromOptions(ULS uls)
{
  const char *const policies[] = {"stop", "step"};
  char type[64];
  PetscReal step = uls->step;
  PetscInt max_it = uls->max_it, policy = uls->step_on_inexact ? 1 : 0;

  PetscFunctionBegin;
  PetscObjectOptionsBegin((PetscObject)uls);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-uls_type", "Upper-level solver", "ULSSetType", ULSList,
                               ULSDESCENT, type, sizeof(type)));
  PetscCall(ULSSetType(uls, type));
  PetscCall(PetscOptionsReal("-uls_step", "Step size", "ULSSetStep", step, &step, NULL));
  PetscCall(PetscOptionsInt("-uls_max_it", "Upper steps at most", "ULSSetMaximumIterations", max_it, &max_it,
                            NULL));
  PetscCall(PetscOptionsReal("-uls_gatol", "Stop at ||hypergradient|| <= gatol", "ULS", uls->gatol,
                             &uls->gatol, NULL));
  PetscCall(PetscOptionsEList("-uls_on_inexact", "Where a hypergradient missed its tolerance", "ULS",
                              policies, 2, policies[policy], &policy, NULL));
  PetscTryTypeMethod(uls, setfromoptions, PetscOptionsObject);
  PetscCall(PetscOptionsBool("-uls_monitor", "Print f and ||g|| at each step", "ULSMonitorSet", uls->monitor,
                             &uls->monitor, NULL));
  PetscCall(PetscOptionsBool("-uls_converged_reason", "Print why the solver stopped", "ULSGetConvergedReason",
                             uls->print_reason, &uls->print_reason, NULL));
  PetscCall(PetscOptionsViewer("-uls_view", "Print the solver", "ULSView", NULL, NULL, NULL));
  PetscCall(PetscOptionsViewer("-uls_view_solution", "View the last lambda", "ULSSolve", NULL, NULL, NULL));
  PetscOptionsEnd();
  uls->step_on_inexact = policy ? PETSC_TRUE : PETSC_FALSE;
  PetscCheck(uls->gatol >= 0, PetscObjectComm((PetscObject)uls), PETSC_ERR_ARG_OUTOFRANGE,
             "-uls_gatol %g: must not be negative", (double)uls->gatol);
  PetscCall(ULSSetStep(uls, step));
  PetscCall(ULSSetMaximumIterations(uls, max_it));
  PetscCall(HGSetFromOptions(uls->hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSetUp(ULS uls)
{
  PetscFunctionBegin;
  if (uls->setup) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(uls->blp, PetscObjectComm((PetscObject)uls), PETSC_ERR_ARG_WRONGSTATE, "ULSSetBLP() first");
  if (!((PetscObject)uls)->type_name) PetscCall(ULSSetType(uls, ULSDESCENT));
  PetscCall(HGSetUp(uls->hg));
  PetscCall(VecDestroy(&uls->g));
  PetscCall(BLPCreateVecs(uls->blp, &uls->g, NULL));
  PetscTryTypeMethod(uls, setup);
  uls->it = 0;
  uls->setup = PETSC_TRUE;
  PetscCall(PetscObjectViewFromOptions((PetscObject)uls, NULL, "-uls_view"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSView(ULS uls, PetscViewer viewer)
{
  PetscBool ascii;

  PetscFunctionBegin;
  PetscCall(TwofoldViewHeader((PetscObject)uls, &viewer, &ascii));
  if (!ascii) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscViewerASCIIPushTab(viewer));
  PetscCall(
      PetscViewerASCIIPrintf(viewer, "%" PetscInt_FMT " steps of size %g\n", uls->max_it, (double)uls->step));
  PetscTryTypeMethod(uls, view, viewer);
  PetscCall(HGView(uls->hg, viewer));
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSolve(ULS uls, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(ULSSetUp(uls));
  uls->reason = ULS_ITERATING;
  PetscCall(PetscTime(&uls->start));
  PetscUseTypeMethod(uls, solve, lambda);
  PetscCheck(uls->reason != ULS_ITERATING, PetscObjectComm((PetscObject)uls), PETSC_ERR_PLIB,
             "the upper-level solver returned without a reason");
  if (uls->print_reason)
    PetscCall(PetscPrintf(PetscObjectComm((PetscObject)uls),
                          "Upper-level solve ended by %s after %" PetscInt_FMT " steps\n",
                          ULSConvergedReasons[uls->reason], uls->it));
  PetscCall(PetscObjectSetName((PetscObject)lambda, "lambda"));
  PetscCall(VecViewFromOptions(lambda, (PetscObject)uls, "-uls_view_solution"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetConvergedReason(ULS uls, ULSConvergedReason *reason)
{
  PetscFunctionBegin;
  *reason = uls->reason;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetIterationNumber(ULS uls, PetscInt *it)
{
  PetscFunctionBegin;
  *it = uls->it;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetObjective(ULS uls, PetscReal *f)
{
  PetscFunctionBegin;
  *f = uls->f;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ shared by the types */

static PetscErrorCode Monitor(ULS uls, Vec lambda, Vec g)
{
  ULSPoint point = {.it = uls->it, .f = uls->f, .lambda = lambda, .g = g};
  PetscLogDouble now;

  PetscFunctionBegin;
  PetscCall(PetscTime(&now));
  point.time = now - uls->start;
  PetscCall(HGGetReport(uls->hg, &point.hg));
  if (uls->monitor)
    PetscCall(PetscPrintf(PetscObjectComm((PetscObject)uls),
                          "%4" PetscInt_FMT " upper level f %.12g ||g|| %.12g\n", uls->it, (double)uls->f,
                          (double)point.hg.norm));
  if (uls->usermonitor) PetscCallBack("monitor", (*uls->usermonitor)(uls, &point, uls->monitorctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSComputePoint_Private(ULS uls, Vec lambda, PetscBool *usable)
{
  HGReport report;

  PetscFunctionBegin;
  PetscCall(HGSolve(uls->hg, lambda, &uls->f, uls->g));
  PetscCall(HGGetReport(uls->hg, &report));
  PetscCall(Monitor(uls, lambda, uls->g));
  if (report.reason == HG_STOPPED)
    uls->reason = ULS_STOPPED;
  else if (report.reason == HG_DIVERGED_ITS)
    uls->reason = uls->step_on_inexact ? ULS_ITERATING : ULS_DIVERGED_INEXACT;
  else if (report.reason < 0)
    uls->reason = ULS_DIVERGED_HYPERGRADIENT;
  else if (uls->gatol > 0 && report.norm <= uls->gatol)
    uls->reason = ULS_CONVERGED_GATOL;
  *usable = (PetscBool)(uls->reason == ULS_ITERATING);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSComputeLast_Private(ULS uls, Vec lambda)
{
  HGConvergedReason reason;

  PetscFunctionBegin;
  PetscCall(HGEvaluate(uls->hg, lambda, &uls->f));
  PetscCall(HGGetConvergedReason(uls->hg, &reason));
  PetscCall(Monitor(uls, lambda, NULL));
  if (reason == HG_STOPPED)
    uls->reason = ULS_STOPPED;
  else if (reason < 0 && reason != HG_DIVERGED_ITS)
    uls->reason = ULS_DIVERGED_HYPERGRADIENT;
  else
    uls->reason = ULS_CONVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ checkpoints */

PetscErrorCode ULSSaveState(ULS uls, Vec lambda, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_Checkpoint, uls, lambda, 0, 0));
  PetscCall(PetscObjectSetName((PetscObject)lambda, "lambda"));
  PetscCall(VecView(lambda, viewer));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda", "iteration", PETSC_INT, &uls->it));
  PetscTryTypeMethod(uls, savestate, viewer);
  PetscCall(HGSaveState(uls->hg, viewer));
  PetscCall(PetscLogEventEnd(TWOFOLD_Checkpoint, uls, lambda, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSRestoreState(ULS uls, Vec lambda, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(ULSSetUp(uls));
  PetscCall(PetscObjectSetName((PetscObject)lambda, "lambda"));
  PetscCall(TwofoldVecRestore(lambda, viewer));
  PetscCall(PetscViewerHDF5ReadAttribute(viewer, "/lambda", "iteration", PETSC_INT, NULL, &uls->it));
  PetscTryTypeMethod(uls, restorestate, viewer);
  PetscCall(HGRestoreState(uls->hg, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetMemory(ULS uls, PetscLogDouble *bytes)
{
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(ULSSetUp(uls));
  PetscCall(VecGetLocalSize(uls->g, &nlocal));
  *bytes = 2.0 * (PetscLogDouble)nlocal * sizeof(PetscScalar);
  PetscTryTypeMethod(uls, memory, bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}
