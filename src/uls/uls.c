/* ULS: the upper-level solver. Interface and dispatch; what all types share: the point and its monitors. */
#include <petsctime.h>
#include <petscviewerhdf5.h>
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/lsetimpl.h>
#include <twofold/impl/ulsimpl.h>

PetscClassId ULS_CLASSID;
static PetscFunctionList ULSList = NULL;

static const char *const reasons[] = {"DIVERGED_TRUST_REGION",
                                      "DIVERGED_LINE_SEARCH",
                                      "DIVERGED_MAXFCN",
                                      "STOPPED",
                                      "DIVERGED_NANORINF",
                                      "DIVERGED_INEXACT",
                                      "DIVERGED_HYPERGRADIENT",
                                      "ITERATING",
                                      "CONVERGED_ITS",
                                      "CONVERGED_GATOL",
                                      "CONVERGED_GRTOL",
                                      "CONVERGED_GTTOL",
                                      "CONVERGED_STEPTOL",
                                      "CONVERGED_MINF",
                                      "ULSConvergedReason",
                                      "ULS_",
                                      NULL};
const char *const *ULSConvergedReasons = reasons + 7;

/* The class and the types that come with it, once: on the first call of anything that needs them. */
static PetscErrorCode ULSRegisterAll(void)
{
  PetscFunctionBegin;
  if (ULSList) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TwofoldRegisterEvents());
  PetscCall(PetscClassIdRegister("Upper-Level Solver", &ULS_CLASSID));
  PetscCall(TwofoldListAdd(&ULSList, ULSDESCENT, (TwofoldConstructor)ULSCreate_Descent));
  PetscCall(TwofoldListAdd(&ULSList, ULSTAO, (TwofoldConstructor)ULSCreate_Tao));
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
  uls->best_f = (PetscReal)INFINITY;
  uls->best_it = -1;
  PetscCall(HGCreate(comm, &uls->hg));
  PetscCall(LSETCreate(comm, &uls->lset));
  *solver = uls;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSDestroy(ULS *uls)
{
  PetscFunctionBegin;
  if (!TwofoldLastReference((PetscObject *)uls)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscTryTypeMethod(*uls, destroy);
  PetscCall(VecDestroy(&(*uls)->g));
  PetscCall(VecDestroy(&(*uls)->best));
  PetscCall(LSETDestroy(&(*uls)->lset));
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
  PetscCall(LSETSetOptionsPrefix(uls->lset, prefix));
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

PetscErrorCode ULSGetLSET(ULS uls, LSET *lset)
{
  PetscFunctionBegin;
  *lset = uls->lset;
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
  PetscCall(LSETSetFromOptions(uls->lset)); /* first: the type's defaults look at it */
  PetscObjectOptionsBegin((PetscObject)uls);
  PetscCall(TwofoldOptionsType(PetscOptionsObject, "-uls_type", "Upper-level solver", "ULSSetType", ULSList,
                               ULSDESCENT, type, sizeof(type)));
  PetscCall(ULSSetType(uls, type));
  PetscCall(PetscOptionsReal("-uls_step", "Step size", "ULSSetStep", step, &step, NULL));
  PetscCall(PetscOptionsInt("-uls_max_it", "Upper steps at most", "ULSSetMaximumIterations", max_it, &max_it,
                            NULL));
  PetscCall(PetscOptionsReal("-uls_gatol", "Stop at ||lambda - P(lambda - hypergradient)|| <= gatol", "ULS",
                             uls->gatol, &uls->gatol, NULL));
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

/* Where -lset_type convspectral does not say which kernel, it is the one that the problem names. */
static PetscErrorCode AdoptKernel(ULS uls)
{
  PetscInt first, out, in, width, grid;

  PetscFunctionBegin;
  PetscCall(BLPGetKernel(uls->blp, &first, &out, &in, &width, &grid));
  if (out) PetscCall(LSETConvSpectralSuggestKernel_Private(uls->lset, first, out, in, width, grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A problem's own bounds are the set where no other is chosen. */
static PetscErrorCode AdoptBounds(ULS uls)
{
  Vec lower, upper;
  LSETType type;
  PetscBool unconstrained = PETSC_TRUE;

  PetscFunctionBegin;
  PetscCall(BLPGetBounds(uls->blp, &lower, &upper));
  PetscCall(LSETGetType(uls->lset, &type));
  if (type) PetscCall(PetscStrcmp(type, LSETFREE, &unconstrained));
  if ((!lower && !upper) || !unconstrained) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(LSETSetType(uls->lset, LSETBOX));
  PetscCall(LSETBoxSetConstants(uls->lset, -(PetscReal)INFINITY, (PetscReal)INFINITY));
  PetscCall(LSETBoxSetBounds(uls->lset, lower, upper));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where -lset_type spectral does not say which matrix, it is the one that the problem names. */
static PetscErrorCode AdoptMatrix(ULS uls)
{
  PetscInt first, rows, columns;

  PetscFunctionBegin;
  PetscCall(BLPGetMatrix(uls->blp, &first, &rows, &columns));
  if (rows) PetscCall(LSETSpectralSuggestMatrix_Private(uls->lset, first, rows, columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The set Lambda of lambda's space. */
static PetscErrorCode SetUpSet(ULS uls)
{
  LSETType type;
  PetscBool unconstrained;

  PetscFunctionBegin;
  PetscCall(AdoptKernel(uls));
  PetscCall(AdoptBounds(uls));
  PetscCall(AdoptMatrix(uls));
  PetscCall(LSETSetUp(uls->lset, uls->g));
  PetscCall(LSETGetType(uls->lset, &type));
  PetscCall(PetscStrcmp(type, LSETFREE, &unconstrained));
  uls->constrained = (PetscBool)!unconstrained;
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
  PetscCall(VecDestroy(&uls->best));
  PetscCall(SetUpSet(uls));
  PetscTryTypeMethod(uls, setup);
  uls->it = 0;
  uls->restored = PETSC_FALSE;
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
  PetscCall(PetscViewerASCIIPrintf(viewer, "at most %" PetscInt_FMT " steps\n", uls->max_it));
  PetscTryTypeMethod(uls, view, viewer);
  PetscCall(LSETView(uls->lset, viewer));
  PetscCall(HGView(uls->hg, viewer));
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The work up to here belongs to the steps that are made. */
static void KeepWork(ULS uls)
{
  uls->behind.lower_its = uls->total_lower_its;
  uls->behind.adjoint_its = uls->total_adjoint_its;
  uls->behind.evaluations = uls->evaluations;
}

/* That of a step which was stopped is done again by the run that goes on. */
static void ForgetWork(ULS uls)
{
  uls->total_lower_its = uls->behind.lower_its;
  uls->total_adjoint_its = uls->behind.adjoint_its;
  uls->evaluations = uls->behind.evaluations;
}

/* A run from its start, not one that goes on. */
static PetscErrorCode Begin(ULS uls, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(ULSProject_Private(uls, lambda));
  uls->total_lower_its = uls->total_adjoint_its = uls->evaluations = 0;
  uls->best_f = (PetscReal)INFINITY;
  uls->best_it = -1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSolve(ULS uls, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(ULSSetUp(uls));
  if (!uls->it && !uls->restored) PetscCall(Begin(uls, lambda));
  uls->restored = PETSC_FALSE;
  KeepWork(uls);
  uls->reason = ULS_ITERATING;
  PetscCall(PetscTime(&uls->start));
  PetscUseTypeMethod(uls, solve, lambda);
  PetscCheck(uls->reason != ULS_ITERATING, PetscObjectComm((PetscObject)uls), PETSC_ERR_PLIB,
             "the upper-level solver returned without a reason");
  if (uls->reason == ULS_STOPPED) ForgetWork(uls);
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

PetscErrorCode ULSGetWork(ULS uls, PetscInt64 *lower_its, PetscInt64 *adjoint_its, PetscInt64 *evaluations)
{
  PetscFunctionBegin;
  if (lower_its) *lower_its = uls->total_lower_its;
  if (adjoint_its) *adjoint_its = uls->total_adjoint_its;
  if (evaluations) *evaluations = uls->evaluations;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetBest(ULS uls, Vec *lambda, PetscReal *f, PetscInt *it)
{
  PetscFunctionBegin;
  if (lambda) *lambda = uls->best_it >= 0 ? uls->best : NULL;
  if (f) *f = uls->best_f;
  if (it) *it = uls->best_it;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ shared by the types */

static PetscErrorCode Count(ULS uls)
{
  HGReport report;

  PetscFunctionBegin;
  PetscCall(HGGetReport(uls->hg, &report));
  uls->total_lower_its += report.lower_its;
  uls->total_adjoint_its += report.adjoint_its;
  uls->evaluations++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSEvaluate_Private(ULS uls, Vec lambda)
{
  HGConvergedReason reason;
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(HGSolve(uls->hg, lambda, &f, uls->g));
  PetscCall(HGGetConvergedReason(uls->hg, &reason));
  if (reason != HG_STOPPED) uls->f = f;
  PetscCall(Count(uls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSEvaluateObjective_Private(ULS uls, Vec lambda, PetscReal *f)
{
  PetscFunctionBegin;
  PetscCall(HGEvaluate(uls->hg, lambda, f));
  PetscCall(Count(uls));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSProject_Private(ULS uls, Vec lambda)
{
  PetscFunctionBegin;
  if (uls->constrained) PetscCall(LSETProject(uls->lset, lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSAfterStep_Private(ULS uls)
{
  PetscBool stop = PETSC_FALSE;

  PetscFunctionBegin;
  KeepWork(uls);
  if (uls->stephook) PetscCallBack("step hook", (*uls->stephook)(uls, uls->it, &stop, uls->stephookctx));
  if (stop) uls->reason = ULS_STOPPED;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Monitor(ULS uls, Vec lambda, Vec g, const HGReport *report, PetscReal projected_norm)
{
  ULSPoint point = {.it = uls->it,
                    .f = uls->f,
                    .lambda = lambda,
                    .g = g,
                    .projected_norm = projected_norm,
                    .hg = *report,
                    .total_lower_its = uls->total_lower_its,
                    .total_adjoint_its = uls->total_adjoint_its,
                    .evaluations = uls->evaluations};
  PetscLogDouble now;

  PetscFunctionBegin;
  PetscCall(PetscTime(&now));
  point.time = now - uls->start;
  if (uls->monitor)
    PetscCall(PetscPrintf(PetscObjectComm((PetscObject)uls),
                          "%4" PetscInt_FMT " upper level f %.12g ||g|| %.12g\n", uls->it, (double)uls->f,
                          (double)report->norm));
  if (uls->usermonitor) PetscCallBack("monitor", (*uls->usermonitor)(uls, &point, uls->monitorctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Keeps lambda where no point before it has so low an f. */
static PetscErrorCode KeepBest(ULS uls, Vec lambda)
{
  PetscFunctionBegin;
  if (!(uls->f < uls->best_f)) PetscFunctionReturn(PETSC_SUCCESS); /* NaN is not */
  if (!uls->best) PetscCall(VecDuplicate(uls->g, &uls->best));
  PetscCall(VecCopy(lambda, uls->best));
  uls->best_f = uls->f;
  uls->best_it = uls->it;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What a hypergradient's reason means for the solver. */
static ULSConvergedReason Judge(ULS uls, HGConvergedReason reason)
{
  if (reason == HG_STOPPED) return ULS_STOPPED;
  if (reason == HG_DIVERGED_ITS) return uls->step_on_inexact ? ULS_ITERATING : ULS_DIVERGED_INEXACT;
  return reason < 0 ? ULS_DIVERGED_HYPERGRADIENT : ULS_ITERATING;
}

PetscErrorCode ULSExamine_Private(ULS uls, Vec lambda, PetscBool *usable)
{
  HGReport report;
  PetscReal projected_norm = -1;
  PetscBool stop = PETSC_FALSE;

  PetscFunctionBegin;
  PetscCall(HGGetReport(uls->hg, &report));
  if (report.reason == HG_STOPPED) { /* there is no point to examine */
    uls->reason = ULS_STOPPED;
    *usable = PETSC_FALSE;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (report.reason > HG_DIVERGED_NANORINF) {
    projected_norm = report.norm;
    if (uls->constrained) PetscCall(LSETProjectedGradientNorm(uls->lset, lambda, uls->g, &projected_norm));
  }
  const ULSConvergedReason reason = Judge(uls, report.reason);
  if (!reason) PetscCall(KeepBest(uls, lambda));
  PetscCall(Monitor(uls, lambda, uls->g, &report, projected_norm));
  uls->reason = reason;
  if (report.reason > 0 && uls->gatol > 0 && projected_norm <= uls->gatol) uls->reason = ULS_CONVERGED_GATOL;
  PetscCall(HGPoll_Private(uls->hg, HG_STAGE_POINT, &stop)); /* what the monitors do may take long */
  if (stop) uls->reason = ULS_STOPPED;
  *usable = (PetscBool)(uls->reason == ULS_ITERATING);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSComputePoint_Private(ULS uls, Vec lambda, PetscBool *usable)
{
  PetscFunctionBegin;
  PetscCall(ULSEvaluate_Private(uls, lambda));
  PetscCall(ULSExamine_Private(uls, lambda, usable));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSComputeLast_Private(ULS uls, Vec lambda)
{
  PetscBool stop;
  PetscReal f;
  HGReport report;

  PetscFunctionBegin;
  PetscCall(ULSEvaluateObjective_Private(uls, lambda, &f));
  PetscCall(HGGetReport(uls->hg, &report));
  if (report.reason == HG_STOPPED) {
    uls->reason = ULS_STOPPED;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  uls->f = f;
  const ULSConvergedReason reason = Judge(uls, report.reason);
  const PetscBool computed = (PetscBool)(!reason || reason == ULS_DIVERGED_INEXACT);
  if (computed) PetscCall(KeepBest(uls, lambda));
  PetscCall(Monitor(uls, lambda, NULL, &report, -1));
  uls->reason = computed ? ULS_CONVERGED_ITS : reason;
  PetscCall(HGPoll_Private(uls->hg, HG_STAGE_POINT, &stop));
  if (stop) uls->reason = ULS_STOPPED;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ checkpoints */

/* The counters of the run, as attributes of lambda. */
static PetscErrorCode SaveCounters(ULS uls, PetscViewer viewer)
{
  const PetscReal lower = (PetscReal)uls->total_lower_its, adjoint = (PetscReal)uls->total_adjoint_its;
  const PetscReal evaluations = (PetscReal)uls->evaluations;

  PetscFunctionBegin;
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda", "iteration", PETSC_INT, &uls->it));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda", "total_lower_its", PETSC_REAL, &lower));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda", "total_adjoint_its", PETSC_REAL, &adjoint));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda", "evaluations", PETSC_REAL, &evaluations));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda", "reached", PETSC_REAL, &uls->hg->reached));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Checkpoints of version 0.1.0 lack all but the first. What the last hypergradient reached is what f alone is
   computed to at the last point. */
static PetscErrorCode RestoreCounters(ULS uls, PetscViewer viewer)
{
  const PetscReal none = 0;
  PetscReal lower, adjoint, evaluations;

  PetscFunctionBegin;
  PetscCall(PetscViewerHDF5ReadAttribute(viewer, "/lambda", "iteration", PETSC_INT, NULL, &uls->it));
  PetscCall(PetscViewerHDF5ReadAttribute(viewer, "/lambda", "total_lower_its", PETSC_REAL, &none, &lower));
  PetscCall(
      PetscViewerHDF5ReadAttribute(viewer, "/lambda", "total_adjoint_its", PETSC_REAL, &none, &adjoint));
  PetscCall(PetscViewerHDF5ReadAttribute(viewer, "/lambda", "evaluations", PETSC_REAL, &none, &evaluations));
  PetscCall(PetscViewerHDF5ReadAttribute(viewer, "/lambda", "reached", PETSC_REAL, &none, &uls->hg->reached));
  uls->total_lower_its = (PetscInt64)lower;
  uls->total_adjoint_its = (PetscInt64)adjoint;
  uls->evaluations = (PetscInt64)evaluations;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SaveBest(ULS uls, PetscViewer viewer)
{
  PetscFunctionBegin;
  if (uls->best_it < 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscObjectSetName((PetscObject)uls->best, "lambda_best"));
  PetscCall(VecView(uls->best, viewer));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda_best", "iteration", PETSC_INT, &uls->best_it));
  PetscCall(PetscViewerHDF5WriteAttribute(viewer, "/lambda_best", "objective", PETSC_REAL, &uls->best_f));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RestoreBest(ULS uls, PetscViewer viewer)
{
  PetscBool has;

  PetscFunctionBegin;
  uls->best_f = (PetscReal)INFINITY;
  uls->best_it = -1;
  PetscCall(PetscViewerHDF5HasDataset(viewer, "/lambda_best", &has));
  if (!has) PetscFunctionReturn(PETSC_SUCCESS);
  if (!uls->best) PetscCall(VecDuplicate(uls->g, &uls->best));
  PetscCall(PetscObjectSetName((PetscObject)uls->best, "lambda_best"));
  PetscCall(TwofoldVecRestore(uls->best, viewer));
  PetscCall(
      PetscViewerHDF5ReadAttribute(viewer, "/lambda_best", "iteration", PETSC_INT, NULL, &uls->best_it));
  PetscCall(
      PetscViewerHDF5ReadAttribute(viewer, "/lambda_best", "objective", PETSC_REAL, NULL, &uls->best_f));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSSaveState(ULS uls, Vec lambda, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_Checkpoint, uls, lambda, 0, 0));
  PetscCall(PetscObjectSetName((PetscObject)lambda, "lambda"));
  PetscCall(VecView(lambda, viewer));
  PetscCall(SaveCounters(uls, viewer));
  PetscCall(SaveBest(uls, viewer));
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
  PetscCall(RestoreCounters(uls, viewer));
  PetscCall(RestoreBest(uls, viewer));
  uls->restored = PETSC_TRUE;
  PetscTryTypeMethod(uls, restorestate, viewer);
  if (uls->it) PetscCall(HGRestoreState(uls->hg, viewer)); /* nothing was accepted before the first step */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ULSGetMemory(ULS uls, PetscLogDouble *bytes)
{
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(ULSSetUp(uls));
  PetscCall(VecGetLocalSize(uls->g, &nlocal));
  *bytes = 3.0 * (PetscLogDouble)nlocal * sizeof(PetscScalar);
  PetscTryTypeMethod(uls, memory, bytes);
  PetscFunctionReturn(PETSC_SUCCESS);
}
