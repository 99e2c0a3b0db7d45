/* Tests at the first hypergradient: the problem's derivatives (-blp_test_derivatives), and the hypergradient
   of this run against differences of f (-hg_test). */
#include <twofold/impl/blpimpl.h>
#include <twofold/impl/hgimpl.h>

enum { nsteps = 5 }; /* each costs two lower-level solves */

typedef struct {
  PetscReal f, slope;           /* f(lambda), <g, d> */
  PetscReal difference[nsteps]; /* of f over h, of second order */
  PetscReal relative[nsteps];   /* of the difference and the slope */
  PetscReal best;               /* the smallest of these */
  PetscInt least, most;         /* lower-level steps of the evaluations */
  TwofoldTaylor taylor;
} Comparison;

PetscErrorCode HGTestProblem_Private(HG hg, Vec lambda)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  PetscBool test;
  PetscReal norm;
  PetscInt n;
  Vec w;

  PetscFunctionBegin;
  PetscCall(BLPGetTestDerivatives(hg->blp, &test));
  if (!test || hg->problem_tested) PetscFunctionReturn(PETSC_SUCCESS);
  hg->problem_tested = PETSC_TRUE;
  PetscCall(BLPCreateVecs(hg->blp, NULL, &w));
  PetscCall(TwofoldVecSetRandomNormal(w, 100));
  PetscCall(VecNorm(hg->x->v[0], NORM_2, &norm));
  PetscCall(VecGetSize(w, &n));
  if (norm > 0 && !PetscIsInfOrNanReal(norm)) PetscCall(VecScale(w, norm / PetscSqrtReal((PetscReal)n)));
  PetscCall(BLPTestDerivatives(hg->blp, lambda, w, PETSC_VIEWER_STDOUT_(comm)));
  PetscCall(VecDestroy(&w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ differences of f */

/* f(lambda + h d) from the accepted state, as the hypergradient's own lower level began. */
static PetscErrorCode Evaluate(HG hg, Vec lambda, PetscReal h, Vec d, Comparison *c, PetscReal *f)
{
  Vec at;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(lambda, &at));
  PetscCall(VecWAXPY(at, h, d, lambda));
  PetscCall(HGEvaluate(hg, at, f));
  PetscCall(VecDestroy(&at));
  c->least = PetscMin(c->least, hg->report.lower_its);
  c->most = PetscMax(c->most, hg->report.lower_its);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Differences(HG hg, Vec lambda, Vec d, Comparison *c)
{
  const PetscReal tiny[] = {1e-13, 3e-13}; /* where nothing but rounding is left */
  TwofoldTaylor *const t = &c->taylor;
  PetscReal up, other;
  Vec lower, upper;

  PetscFunctionBegin;
  PetscCall(BLPGetBounds(hg->blp, &lower, &upper));
  const PetscBool bounded = (PetscBool)(lower || upper); /* d points inside, -d may not */
  t->n = nsteps;
  t->slope = PetscAbsReal(c->slope);
  t->noise = 2 * PETSC_MACHINE_EPSILON * PetscMax(PetscAbsReal(c->f), t->slope);
  c->best = PETSC_MAX_REAL;
  for (PetscInt k = 0; k < nsteps; k++) {
    const PetscReal h = TwofoldTaylorStep(k);
    PetscCall(Evaluate(hg, lambda, h, d, c, &up));
    PetscCall(Evaluate(hg, lambda, bounded ? 2 * h : -h, d, c, &other));
    t->change[k] = PetscAbsReal(up - c->f);
    t->remainder[k] = PetscAbsReal(up - c->f - h * c->slope);
    c->difference[k] = bounded ? (4 * up - other - 3 * c->f) / (2 * h) : (up - other) / (2 * h);
    const PetscReal scale = PetscMax(PetscAbsReal(c->difference[k]), t->slope);
    c->relative[k] = scale > 0 ? PetscAbsReal(c->difference[k] - c->slope) / scale : 0;
    if (c->relative[k] < c->best) c->best = c->relative[k]; /* never NaN */
  }
  for (int i = 0; i < 2; i++) {
    PetscCall(Evaluate(hg, lambda, tiny[i], d, c, &up));
    if (!PetscIsInfOrNanReal(up))
      t->noise = PetscMax(t->noise, 2 * PetscAbsReal(up - c->f - tiny[i] * c->slope));
  }
  TwofoldTaylorFit(t);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||Phi(x) - x|| at the lower level's end. */
static PetscErrorCode LowerChange(HG hg, Vec lambda, PetscReal *change)
{
  State x;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(FPMCreateState(fpm, &x));
  PetscCall(StateCopy(hg->x, x));
  PetscCall(FPMStep(fpm, lambda, x, change));
  PetscCall(StateDestroy(&x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what they mean */

static PetscErrorCode PrintDifferences(const Comparison *c, PetscBool jumps, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "Test of the hypergradient along a random direction d: <g, d> = %.12e\n", (double)c->slope));
  PetscCall(PetscViewerASCIIPushTab(viewer));
  PetscCall(
      PetscViewerASCIIPrintf(viewer, "%7s  %19s  %s\n", "h", "difference of f / h", "relative difference"));
  for (PetscInt k = 0; k < nsteps; k++)
    PetscCall(PetscViewerASCIIPrintf(viewer, "%7.1e  %19.12e  %8.1e\n", (double)TwofoldTaylorStep(k),
                                     (double)c->difference[k], (double)c->relative[k]));
  if (jumps)
    PetscCall(PetscViewerASCIIPrintf(viewer,
                                     "the lower level made %" PetscInt_FMT " to %" PetscInt_FMT
                                     " steps: f jumps where their number changes\n",
                                     c->least, c->most));
  PetscCall(PetscViewerASCIIPopTab(viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the difference from the gradient of f_t consists of where the method has an error of its own. */
static PetscErrorCode PrintOwnError(HG hg, Vec lambda, const Comparison *c, PetscBool itd, PetscViewer viewer)
{
  const HGReport *const r = &hg->report;
  PetscReal change;

  PetscFunctionBegin;
  if (itd) {
    PetscCall(PetscViewerASCIIPrintf(viewer,
                                     "  %.1e is what truncation leaves out: of the steps %" PetscInt_FMT
                                     " were differentiated of %" PetscInt_FMT " steps\n",
                                     (double)c->best, r->adjoint_its, r->lower_its));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(LowerChange(hg, lambda, &change));
  PetscCall(PetscViewerASCIIPrintf(
      viewer,
      "  %.1e is the error of %s itself, beside an adjoint residual of %.1e and a lower "
      "level with ||Phi(x) - x|| %.1e: with right derivatives it falls with both\n",
      (double)c->best, ((PetscObject)hg)->type_name, (double)r->adjoint_residual, (double)change));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintOrder(const Comparison *c, PetscBool passes, PetscViewer viewer)
{
  PetscFunctionBegin;
  if (PetscIsInfReal(c->taylor.order))
    PetscCall(PetscViewerASCIIPrintf(viewer, "  f is linear to rounding, as g says: %s\n",
                                     passes ? "pass" : "FAIL"));
  else
    PetscCall(PetscViewerASCIIPrintf(viewer,
                                     "  f(lambda + h d) - f - h <g, d> is of order %.2f (2 expected): %s\n",
                                     (double)c->taylor.order, passes ? "pass" : "FAIL"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The whole itd after a fixed number of steps is the gradient of f_t, exact that of f; all else has an error
   of its own. */
static PetscErrorCode Judge(HG hg, Vec lambda, const Comparison *c, PetscViewer viewer)
{
  const HGReport *const r = &hg->report;
  const PetscBool passes = TwofoldTaylorPasses(&c->taylor);
  PetscBool itd, exact;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGITD, &itd));
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGEXACT, &exact));
  const PetscBool whole = (PetscBool)(exact || (itd && r->adjoint_its == r->lower_its && !hg->correct));
  const PetscBool jumps = (PetscBool)(c->least != c->most && !exact); /* Newton's method ends at one point */
  if (viewer) {
    PetscCall(PrintDifferences(c, jumps, viewer));
    if (whole)
      PetscCall(PrintOrder(c, passes, viewer));
    else
      PetscCall(PrintOwnError(hg, lambda, c, itd, viewer));
  }
  PetscCheck(
      !whole || jumps || passes, PetscObjectComm((PetscObject)hg), PETSC_ERR_USER,
      "test of the hypergradient: %s is not the gradient of f: the Taylor remainder has order %.2f instead "
      "of 2, relative difference %.1e; -blp_test_derivatives tells which derivative is wrong",
      ((PetscObject)hg)->type_name, (double)c->taylor.order, (double)c->taylor.error);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The evaluations leave their marks on the state and the report; both are put back. */
static PetscErrorCode Compare(HG hg, Vec lambda, PetscReal f, Vec g, PetscViewer viewer)
{
  const HGReport report = hg->report;
  Comparison c = {.f = f, .least = report.lower_its, .most = report.lower_its};
  State x;
  FPM fpm;
  PetscBool follows;
  Vec d;

  PetscFunctionBegin;
  if (report.reason <= HG_DIVERGED_NANORINF) {
    if (viewer)
      PetscCall(PetscViewerASCIIPrintf(viewer, "Test of the hypergradient: there is none (%s)\n",
                                       HGConvergedReasons[report.reason]));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  PetscCall(StateCreate(hg->x->v[0], hg->x->n, &x));
  PetscCall(StateCopy(hg->x, x));
  PetscCall(VecDuplicate(lambda, &d));
  PetscCall(BLPSetDirection_Private(lambda, hg->blp->bounds, 104, d));
  PetscCall(VecDot(g, d, &c.slope));
  PetscCall(FPMGetDifferentiateStep(fpm, &follows));
  if (!hg->ops->lower && !follows)
    PetscCall(FPMFreeze(fpm, PETSC_TRUE)); /* the gradient took an optimal step for a constant */
  PetscCall(Differences(hg, lambda, d, &c));
  PetscCall(FPMFreeze(fpm, PETSC_FALSE));
  PetscCall(StateCopy(x, hg->x));
  hg->report = report;
  PetscCall(VecDestroy(&d));
  PetscCall(StateDestroy(&x));
  PetscCall(Judge(hg, lambda, &c, viewer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGTestGradient_Private(HG hg, Vec lambda, PetscReal f, Vec g)
{
  PetscFunctionBegin;
  if (!hg->test || hg->tested || hg->folds) PetscFunctionReturn(PETSC_SUCCESS); /* fold 0 tests its own */
  if (hg->report.reason == HG_STOPPED) PetscFunctionReturn(PETSC_SUCCESS);
  hg->tested = PETSC_TRUE;
  PetscCall(Compare(hg, lambda, f, g, PETSC_VIEWER_STDOUT_(PetscObjectComm((PetscObject)hg))));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGTest(HG hg, Vec lambda, PetscViewer viewer)
{
  PetscReal f;
  Vec g;

  PetscFunctionBegin;
  PetscCall(HGSetUp(hg));
  PetscCall(HGCheckOneLevel_Private(hg, "HGTest()"));
  hg->tested = PETSC_TRUE; /* here, not within the solve */
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(Compare(hg, lambda, f, g, viewer));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(PETSC_SUCCESS);
}
