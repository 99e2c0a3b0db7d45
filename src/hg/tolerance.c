/* A tolerance of the hypergradient's error: t and k are chosen on the way.

   The bound, or the estimate, has a part that falls with ||r|| = ||Phi(w) - w|| and one that falls with
   ||s|| = ||grad1 E - (I - d1Phi^T) v||. Where a unit of work makes log ||r|| fall by a and log ||s|| by b,
   the least work that brings their sum down to the tolerance ends with

     lower part : adjoint part = b : a

   (a steeper one is cheap to make small). So: some steps of both; what their error is, in parts; from these
   the residuals to go for; on from where w and v are; and again, until the error is within the tolerance.

   A bound costs next to nothing. An estimate costs two linear solves and three products, so one must do: its
   first one comes where both residuals have fallen by the tolerance itself, as the relative error mostly has
   by then, too. Where it has not, v + dv takes the place of v, which may do, or goes on from there, and
   the estimate's corrected hypergradient is what g is compared with, as long as that is much nearer to grad f
   than the tolerance. */
#include <petsctime.h>
#include <twofold/impl/fpmimpl.h>
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/llsimpl.h>

typedef struct {
  PetscInt t, k;           /* steps that may still be made */
  PetscReal first, change; /* ||Phi(x) - x|| of the lower level's first step, and of the last one */
  PetscReal r;             /* ||Phi(w) - w|| */
  PetscReal s;             /* ||grad1 E - (I - d1Phi^T) v|| */
  PetscReal r_to, s_to;    /* residuals to go for */
  PetscReal fall, fall_s;  /* of the residuals' logarithms by a step, and by a product; 0: not known */
  PetscReal reduction;     /* of both residuals before the first look at the error */
  PetscReal cost;          /* of a step, in gradients and products */
  PetscReal error, tol;    /* the error by bound or estimate, and what it may be */
  PetscReal per_r, per_s;  /* parts of the last estimate by r and s */
  PetscReal corrected;     /* error of the corrected hypergradient of the last estimate; 0: there is none */
  PetscInt bounding;       /* products for bounds */
} Course;

/* ------------------------------------------------------------------ settings */

PetscErrorCode HGSetTolerance(HG hg, PetscReal rtol, PetscReal atol)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  const PetscBool had = HGHasTolerance_Private(hg);

  PetscFunctionBegin;
  PetscCheck(rtol >= 0 && rtol < 1, comm, PETSC_ERR_ARG_OUTOFRANGE, "-hg_tol %g: must be in [0, 1)",
             (double)rtol);
  PetscCheck(atol >= 0 && !PetscIsInfReal(atol), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-hg_tol_absolute %g: must be finite and not negative", (double)atol);
  hg->rtol = rtol;
  hg->atol = atol;
  if (HGHasTolerance_Private(hg) != had) hg->setup = PETSC_FALSE; /* the KSP is told otherwise */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetTolerance(HG hg, PetscReal *rtol, PetscReal *atol)
{
  PetscFunctionBegin;
  if (rtol) *rtol = hg->rtol;
  if (atol) *atol = hg->atol;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGToleranceFromOptions_Private(HG hg, PetscOptionItems *PetscOptionsObject)
{
  PetscReal rtol = hg->rtol, atol = hg->atol;

  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-hg_tol", "Error of the hypergradient, relative to it (0: fixed t and k)",
                             "HGSetTolerance", rtol, &rtol, NULL));
  PetscCall(PetscOptionsReal("-hg_tol_absolute", "Error of the hypergradient that is good enough in any case",
                             "HGSetTolerance", atol, &atol, NULL));
  PetscCall(HGSetTolerance(hg, rtol, atol));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCheckTolerance_Private(HG hg)
{
  PetscFunctionBegin;
  PetscCheck(
      !HGHasTolerance_Private(hg) || hg->ops->approach, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
      "-hg_tol chooses t and k of -hg_type aid; %s has a fixed number of steps or needs none: drop one of "
      "the two",
      ((PetscObject)hg)->type_name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGViewTolerance_Private(HG hg, PetscViewer viewer)
{
  PetscFunctionBegin;
  if (!HGHasTolerance_Private(hg)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "as many steps as it takes, at most, to an error of max(%g ||g||, %g) by the %s\n",
      (double)hg->rtol, (double)hg->atol, HGWantsBound_Private(hg) ? "bound" : "estimate"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the lower level */

/* ||Phi(w) - w||, of the kind of map that the adjoint has. */
static PetscErrorCode Residual(HG hg, Vec lambda, PetscReal *norm)
{
  PetscInt products;
  FPM fpm;
  Vec r, v;

  PetscFunctionBegin;
  PetscUseTypeMethod(hg, firstadjoint, &fpm, &v);
  PetscCall(HGGetLowerResidual_Private(hg, lambda, fpm->uses_map, &r, &products));
  PetscCall(VecNorm(r, NORM_2, norm));
  hg->report.certificate_products += products;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* On from the state until a step changes no more than `change`, which costs nothing to know; 0: one step. */
static PetscErrorCode Steps(HG hg, Vec lambda, PetscReal change, Course *c)
{
  const PetscReal before = c->change;
  HGReport *report = &hg->report;
  PetscInt its, products;
  PetscLogDouble begin, end;

  PetscFunctionBegin;
  PetscCall(PetscTime(&begin));
  PetscCall(LLSSetTolerances(hg->lls, 0, change, change > 0 ? c->t : 1));
  PetscCall(LLSKeepChanges_Private(hg->lls, PETSC_TRUE)); /* that they are computed */
  PetscCall(report->lower_its ? LLSContinue_Private(hg->lls, lambda, hg->x)
                              : LLSSolve(hg->lls, lambda, hg->x));
  PetscCall(LLSKeepChanges_Private(hg->lls, PETSC_FALSE));
  PetscCall(PetscTime(&end));
  report->lower_time += end - begin;
  PetscCall(LLSGetIterationNumber(hg->lls, &its));
  PetscCall(LLSGetConvergedReason(hg->lls, &report->lower_reason));
  PetscCall(LLSGetChange(hg->lls, &c->change));
  PetscCall(LLSGetProducts(hg->lls, &products));
  if (!report->lower_its) c->first = hg->lls->first_change;
  report->lower_change = c->change;
  report->lower_its += its;
  report->lower_products += products;
  c->cost = its ? 1 + (PetscReal)products / (PetscReal)its : 1;
  if (its > 0 && before > 0) c->fall = PetscLogReal(before / c->change) / (PetscReal)its;
  c->t -= its;
  if (report->lower_reason == LLS_STOPPED)
    report->reason = HG_STOPPED;
  else if (report->lower_reason < 0 || (its == 0 && change == 0)) /* it gets no further */
    c->t = 0;
  else if (c->change > hg->lls->dtol * c->first)
    report->lower_reason = LLS_DIVERGED_DTOL;
  if (report->lower_reason < 0 && report->lower_reason != LLS_DIVERGED_ITS &&
      report->lower_reason != LLS_DIVERGED_LINE_SEARCH && !report->reason)
    report->reason = HG_DIVERGED_LOWER;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Look(HG hg, Vec lambda, Course *c)
{
  PetscFunctionBegin;
  if (hg->report.reason) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Residual(hg, lambda, &c->r));
  if (!PetscIsInfOrNanReal(c->r)) PetscFunctionReturn(PETSC_SUCCESS);
  hg->report.reason = HG_DIVERGED_LOWER;
  hg->report.lower_reason = LLS_DIVERGED_NANORINF;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* On until ||r|| <= r_to, by the changes first, which fall alike, and then by a look. */
static PetscErrorCode Descend(HG hg, Vec lambda, Course *c)
{
  HGReport *report = &hg->report;

  PetscFunctionBegin;
  while (c->r > c->r_to && c->t > 0 && !report->reason) {
    const PetscInt its = report->lower_its;
    if (its) PetscCall(Steps(hg, lambda, c->change * c->r_to / c->r, c));
    if (report->lower_its == its && c->t > 0 && !report->reason) PetscCall(Steps(hg, lambda, 0, c));
    PetscCall(Look(hg, lambda, c));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* From the start on until the changes have fallen by this. */
static PetscErrorCode DescendBy(HG hg, Vec lambda, PetscReal factor, Course *c)
{
  PetscFunctionBegin;
  if (c->t > 0) PetscCall(Steps(hg, lambda, 0, c));
  if (c->t > 0 && !hg->report.reason && c->change > factor * c->first)
    PetscCall(Steps(hg, lambda, factor * c->first, c));
  PetscCall(Look(hg, lambda, c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Begin(HG hg, Vec lambda, Course *c)
{
  PetscFunctionBegin;
  PetscCall(HGStartLower_Private(hg, lambda));
  PetscCall(LLSGetTolerances(hg->lls, NULL, NULL, &c->t));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the adjoint and the error */

/* f, v and g at the state. */
static PetscErrorCode Adjoint(HG hg, Vec lambda, PetscBool resume, Course *c, PetscReal *f, Vec g)
{
  HGReport *report = &hg->report;
  const PetscInt its = report->adjoint_its;
  PetscLogDouble begin, end;
  FPM fpm;
  Vec v = NULL;

  PetscFunctionBegin;
  PetscCall(PetscTime(&begin));
  PetscCall(PetscLogEventBegin(TWOFOLD_AdjointSolve, hg, 0, 0, 0));
  PetscCall(BLPUpper(hg->blp, lambda, hg->x->v[0], f, hg->g1, g)); /* g = grad2 E */
  PetscCall(HGKeepUpper_Private(hg, g));
  if (resume && !HGWantsBound_Private(hg) && c->k > 0) PetscCall(HGEstimateGetAdjoint_Private(hg, &v));
  PetscUseTypeMethod(hg, approach, lambda, resume, v, c->s_to, resume ? 0 : c->reduction, c->k);
  c->k -= report->adjoint_its - its;
  PetscUseTypeMethod(hg, firstadjoint, &fpm, &v);
  if (!report->reason) PetscCall(FPMParameterVJPAdd(fpm, hg->v, g));
  PetscCall(PetscLogEventEnd(TWOFOLD_AdjointSolve, hg, 0, 0, 0));
  PetscCall(PetscTime(&end));
  report->adjoint_time += end - begin;
  PetscCall(VecNorm(hg->g1, NORM_2, &c->s));
  c->s *= report->adjoint_residual;
  if (!resume && !hg->warm_start && report->adjoint_its > 0 && report->adjoint_residual > 0)
    c->fall_s = -PetscLogReal(report->adjoint_residual) / (PetscReal)report->adjoint_products;
  PetscCall(VecNorm(g, NORM_2, &report->norm));
  if (!report->reason && (PetscIsInfOrNanReal(report->norm) || PetscIsInfOrNanReal(*f)))
    report->reason = HG_DIVERGED_NANORINF;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ErrorByBound(HG hg, Vec lambda, Course *c)
{
  HGReport *report = &hg->report;

  PetscFunctionBegin;
  PetscCall(HGComputeBound_Private(hg, lambda));
  c->bounding += report->bound.products;
  PetscCheck(report->bound.standing, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
             "-hg_tol by the bound: there is none, %s; -hg_certificate estimate goes without",
             report->bound.origin);
  c->error = report->bound.value * (hg->correct ? 3 : 1); /* see HGCorrect_Private() */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where the last one corrected its g to something much nearer than the tolerance, that tells the error. */
static PetscErrorCode ErrorByEstimate(HG hg, Vec lambda, Vec g, Course *c)
{
  const PetscReal rtol = hg->estimate_rtol;
  const TwofoldConstant *estimate = &hg->report.estimate;

  PetscFunctionBegin;
  if (c->corrected > 0 && c->corrected <= 0.5 * c->tol) {
    PetscCall(HGEstimateAgain_Private(hg, g, c->corrected));
    const PetscReal lower = c->per_r * c->r, adjoint = c->per_s * c->s;
    hg->parts.lower = lower > 0 ? estimate->value * lower / (lower + adjoint) : 0;
    hg->parts.adjoint = estimate->value - hg->parts.lower;
  } else {
    PetscCall(HGQuickEstimate_Private(hg, lambda, g, rtol));
    c->corrected = estimate->value * (rtol + estimate->value / hg->report.norm);
    c->per_r = c->r > 0 ? hg->parts.lower / c->r : 0;
    c->per_s = hg->parts.per_s;
  }
  c->error = estimate->value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The share of the lower part in the error to end with. */
static PetscReal LowerShare(const Course *c)
{
  PetscReal share = 0.5;

  if (c->fall > 0 && c->fall_s > 0) share = c->fall_s / (c->fall / c->cost + c->fall_s);
  return PetscMin(PetscMax(share, 0.1), 0.9);
}

/* The residuals to go for, from the parts that they make now; a part that is below its share already leaves
   the rest to the other. */
static void AimByBound(HG hg, Course *c)
{
  const PetscReal aim = 0.8 * c->tol;
  const PetscReal lower = PetscMax(LowerShare(c) * aim, PetscMin(0.9 * aim, aim - hg->parts.adjoint));
  const PetscReal rest = aim - PetscMin(hg->parts.lower, lower);

  c->r_to = c->r;
  if (PetscIsInfOrNanReal(hg->parts.lower))
    c->r_to = c->r / 10;
  else if (hg->parts.lower > lower)
    c->r_to = c->r * lower / hg->parts.lower;
  c->s_to = c->s;
  if (hg->parts.adjoint > 0 && !PetscIsInfOrNanReal(hg->parts.adjoint)) c->s_to *= rest / hg->parts.adjoint;
}

/* The same from v + dv, which is all that it takes where the lower part is small enough. */
static void AimByEstimate(HG hg, Course *c)
{
  const PetscReal aim = 0.8 * c->tol;

  c->r_to = c->r;
  c->s_to = PETSC_MAX_REAL;
  if (hg->parts.lower <= aim && c->corrected <= 0.5 * c->tol && HGEstimateIsBetter_Private(hg)) return;
  const PetscReal lower = PetscMin(LowerShare(c) * aim, hg->parts.lower);
  if (hg->parts.lower > lower) c->r_to = c->r * lower / hg->parts.lower;
  if (c->per_s > 0) c->s_to = (aim - lower) / c->per_s;
  const PetscReal half = PetscSqrtReal(aim / c->error); /* a v nearer to that of w takes some of dv back */
  if (c->k > 0) c->r_to = PetscMin(c->r_to, half * c->r);
}

/* On until the lower part of the bound is there. Its constants are those of a ball that shrinks with ||r||,
   and cost nothing to look up on the way. */
static PetscErrorCode DescendByBound(HG hg, Vec lambda, Course *c)
{
  PetscFunctionBegin;
  while (c->r > c->r_to && c->t > 0 && !hg->report.reason) {
    if (c->r_to < c->r / 10) c->r_to = c->r * PetscPowReal(c->r_to / c->r, 0.75);
    PetscCall(Descend(hg, lambda, c));
    if (hg->certificate_mu == HG_MU_BALL || hg->report.reason) break; /* an eigenvalue solve each */
    PetscCall(ErrorByBound(hg, lambda, c));
    AimByBound(hg, c);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ solve */

/* Whether the steps that are left, or a better v, can still bring what is missing. */
static PetscBool CanGoOn(HG hg, const Course *c)
{
  if (!HGWantsBound_Private(hg) && HGEstimateIsBetter_Private(hg) && c->k > 0) return PETSC_TRUE;
  return (PetscBool)((c->r > c->r_to && c->t > 0) || (c->s > c->s_to && c->k > 0));
}

static PetscErrorCode Approach(HG hg, Vec lambda, Course *c, PetscReal *f, Vec g)
{
  enum { most = 50 }; /* rounds: one to three are usual */
  HGReport *report = &hg->report;

  PetscFunctionBegin;
  for (int round = 0; round < most && !report->reason; round++) {
    PetscCall(Adjoint(hg, lambda, (PetscBool)(round > 0), c, f, g));
    if (report->reason) break;
    c->tol = PetscMax(hg->rtol * report->norm, hg->atol);
    if (HGWantsBound_Private(hg))
      PetscCall(ErrorByBound(hg, lambda, c));
    else
      PetscCall(ErrorByEstimate(hg, lambda, g, c));
    if (c->error <= c->tol) {
      report->reason = HGWantsBound_Private(hg) ? HG_CONVERGED_BOUND : HG_CONVERGED_ESTIMATE;
      break;
    }
    if (HGWantsBound_Private(hg))
      AimByBound(hg, c);
    else
      AimByEstimate(hg, c);
    if (!CanGoOn(hg, c)) break;
    if (HGWantsBound_Private(hg))
      PetscCall(DescendByBound(hg, lambda, c));
    else
      PetscCall(Descend(hg, lambda, c));
  }
  if (!report->reason) report->reason = HG_DIVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What is told of a hypergradient that is there, and how the solves below are said to have ended. */
static PetscErrorCode Finish(HG hg, Vec lambda, Course *c, Vec g)
{
  HGReport *report = &hg->report;

  PetscFunctionBegin;
  report->lower_reason = c->r > c->r_to && c->t == 0 ? LLS_DIVERGED_ITS : LLS_CONVERGED_ATOL;
  hg->reached = c->r;
  if (HGWantsBound_Private(hg)) {
    PetscCall(HGComputeEstimate_Private(hg, lambda, g)); /* where both are asked for */
    report->bound.products = c->bounding;
    report->certificate_products += c->bounding;
  }
  report->certificate_products += report->estimate.products;
  PetscCall(HGCorrect_Private(hg, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSolveToTolerance_Private(HG hg, Vec lambda, PetscReal *f, Vec g)
{
  HGReport *report = &hg->report;
  PetscReal rtol, atol;
  PetscInt max_it;
  PetscBool warm;
  Course c = {.r_to = 0};
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(HGGetKSP(hg, &ksp));
  PetscCall(KSPGetTolerances(ksp, NULL, NULL, NULL, &c.k));
  PetscCall(LLSGetTolerances(hg->lls, &rtol, &atol, &max_it));
  PetscCall(Begin(hg, lambda, &c));
  PetscCall(LLSGetWarmStart(hg->lls, &warm));
  c.reduction = 0.1; /* from 0 nothing is nearly linear */
  if (hg->rtol > 0 && !HGWantsBound_Private(hg)) c.reduction = PetscMin(c.reduction, hg->rtol);
  if (warm && hg->accepted)
    PetscCall(Residual(hg, lambda, &c.r));
  else
    PetscCall(DescendBy(hg, lambda, c.reduction, &c));
  PetscCall(HGTestProblem_Private(hg, lambda));
  if (!report->reason) PetscCall(Approach(hg, lambda, &c, f, g));
  if (report->reason == HG_DIVERGED_LOWER || report->reason == HG_STOPPED) {
    *f = (PetscReal)INFINITY; /* PETSC_INFINITY is a finite number */
    PetscCall(VecZeroEntries(g));
  }
  PetscCall(LLSSetTolerances(hg->lls, rtol, atol, max_it));
  if (report->reason > HG_DIVERGED_NANORINF) PetscCall(Finish(hg, lambda, &c, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGEvaluateToTolerance_Private(HG hg, Vec lambda, PetscReal *f)
{
  HGReport *report = &hg->report;
  PetscReal rtol, atol;
  PetscInt max_it;
  Course c = {.r_to = hg->reached};
  Vec g;

  PetscFunctionBegin;
  if (hg->reached == 0) {
    PetscCall(VecDuplicate(lambda, &g));
    PetscCall(HGSolveToTolerance_Private(hg, lambda, f, g));
    PetscCall(VecDestroy(&g));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(LLSGetTolerances(hg->lls, &rtol, &atol, &max_it));
  PetscCall(Begin(hg, lambda, &c));
  PetscCall(Residual(hg, lambda, &c.r));
  PetscCall(Descend(hg, lambda, &c));
  PetscCall(LLSSetTolerances(hg->lls, rtol, atol, max_it));
  *f = (PetscReal)INFINITY;
  if (report->reason) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BLPUpper(hg->blp, lambda, hg->x->v[0], f, NULL, NULL));
  report->lower_reason = c.r > c.r_to ? LLS_DIVERGED_ITS : LLS_CONVERGED_ATOL;
  report->reason = PetscIsInfOrNanReal(*f) ? HG_DIVERGED_NANORINF
                   : c.r > c.r_to          ? HG_DIVERGED_ITS
                                           : HG_CONVERGED_RTOL;
  PetscFunctionReturn(PETSC_SUCCESS);
}
