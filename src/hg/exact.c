/* exact: the hypergradient to rounding, as a reference for the other types. Where the problem has a closed
   form (BLPGetExact()) it is that. Else, for small problems: with n = dim w it assembles dense n x n matrices
   from n products each and solves by LAPACK or ScaLAPACK:

     Newton's method   w <- w + s (I - d1Phi)^{-1} (Phi(w) - w),   from 0, to the rounding of Phi(w) - w
     the adjoint       (I - d1Phi^T) v = grad1 E,   g = grad2 E + d2Phi^T v

   For a loss Phi is gradient descent of step 1: w <- w - s H^{-1} grad l, and H v = grad1 E. The step s is
   halved until the residual falls: (I - d1Phi)^{-1} (Phi(w) - w) is a direction of descent for ||Phi(w) -
   w||. Each solve is refined once, with a residual by the problem's own products.

   H may be singular where the gradients stay in its range, as with softmax's unpenalised bias: what is
   factored is A + d I with a d of the size of A's rounding, and the refinement takes out what d makes wrong.
 */
#include <twofold/impl/hgimpl.h>

typedef struct {
  FPM fpm; /* gd of step 1, or the problem's own map */
  PetscInt max_size, n;
  PetscBool loss;
  PetscBool wants_form, form; /* the closed form: where there is one; it is used */
  HGExactSolver solver;
  TwofoldDirect A;
  State at, in, out;  /* where the products are; e_j and its product */
  Vec trial, r, p, q; /* w + s p; the residual there; the step, and its correction */
  State v;            /* adjoint */
} Exact;

const char *const HGExactSolvers[] = {"auto", "lapack", "scalapack", "HGExactSolver", "HG_EXACT_", NULL};

enum { max_newton = 200, max_halvings = 40 };
static const PetscReal least = 1e-15, /* relative residuals: below this one there is nothing to gain */
    rounding = 1e-10;                 /* what rounding may leave at the end */

/* ------------------------------------------------------------------ dense systems */

typedef PetscErrorCode (*FPMProduct)(FPM, State, State);

/* The matrix of a product at the point of linearisation, factored; its size. Of a matrix that is 0 or not
   finite there is no factor. */
static PetscErrorCode Assemble(Exact *exact, FPMProduct product, PetscReal *norm, PetscBool *singular)
{
  PetscFunctionBegin;
  for (PetscInt j = 0; j < exact->n; j++) {
    PetscCall(TwofoldVecSetUnit(exact->in->v[0], j));
    PetscCall((*product)(exact->fpm, exact->in, exact->out));
    PetscCall(TwofoldDirectSetColumn(exact->A, j, exact->out->v[0]));
  }
  PetscCall(TwofoldDirectGetNorm(exact->A, norm));
  *singular = (PetscBool)(PetscIsInfOrNanReal(*norm) || *norm == 0);
  if (!*singular) PetscCall(TwofoldDirectFactor(exact->A, 16 * PETSC_MACHINE_EPSILON * *norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* q = b - A x, by the product A was assembled from. */
static PetscErrorCode LinearResidual(Exact *exact, FPMProduct product, Vec b, Vec x, Vec q)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(x, exact->in->v[0]));
  PetscCall((*product)(exact->fpm, exact->in, exact->out));
  PetscCall(VecWAXPY(q, -1, exact->out->v[0], b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x = A^{-1} b, refined once. */
static PetscErrorCode Solve(Exact *exact, FPMProduct product, Vec b, Vec x)
{
  PetscFunctionBegin;
  PetscCall(TwofoldDirectSolve(exact->A, b, x));
  PetscCall(LinearResidual(exact, product, b, x, exact->q));
  PetscCall(TwofoldDirectSolve(exact->A, exact->q, exact->q));
  PetscCall(VecAXPY(x, 1, exact->q));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the lower level */

/* r = Phi(w) - w */
static PetscErrorCode Residual(HG hg, Vec lambda, Vec w, Vec r, PetscReal *norm)
{
  Exact *exact = (Exact *)hg->data;

  PetscFunctionBegin;
  if (exact->loss) {
    PetscCall(BLPLossGradient(hg->blp, lambda, w, NULL, r));
    PetscCall(VecScale(r, -1));
  } else {
    PetscCall(BLPMapApply(hg->blp, lambda, w, r));
    PetscCall(VecAXPY(r, -1, w));
  }
  PetscCall(VecNorm(r, NORM_2, norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* w <- w + s p for the first s = 1, 1/2, ... that makes the residual r fall; *norm is its new norm. */
static PetscErrorCode LineSearch(HG hg, Vec lambda, PetscInt halvings, Vec w, PetscReal *norm,
                                 PetscBool *moved)
{
  Exact *exact = (Exact *)hg->data;
  PetscReal s = 1, next;

  PetscFunctionBegin;
  *moved = PETSC_FALSE;
  for (PetscInt k = 0; k <= halvings; k++, s /= 2) {
    PetscCall(VecWAXPY(exact->trial, s, exact->p, w));
    PetscCall(Residual(hg, lambda, exact->trial, exact->r, &next));
    if (!(next <= (1 - 1e-4 * s) * *norm)) continue; /* NaN, too */
    PetscCall(VecCopy(exact->trial, w));
    *norm = next;
    *moved = PETSC_TRUE;
    break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* p, the Newton step at w, where the residual is r. */
static PetscErrorCode NewtonStep(HG hg, Vec lambda, PetscReal *size, PetscBool *singular)
{
  Exact *exact = (Exact *)hg->data;

  PetscFunctionBegin;
  PetscCall(FPMLinearize(exact->fpm, lambda, exact->at));
  PetscCall(Assemble(exact, FPMResidualJVP, size, singular));
  if (!*singular) PetscCall(Solve(exact, FPMResidualJVP, exact->r, exact->p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Residuals are measured by the first one and by what A w may round to. */
static PetscErrorCode Newton(HG hg, Vec lambda, Vec w, HGReport *report)
{
  Exact *exact = (Exact *)hg->data;
  PetscReal first, norm, size, wnorm, scale;
  PetscBool singular = PETSC_FALSE, moved = PETSC_TRUE;

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(w));
  PetscCall(Residual(hg, lambda, w, exact->r, &first));
  norm = scale = first;
  report->lower_its = 0;
  while (norm > least * scale && moved && report->lower_its < max_newton) {
    PetscCall(NewtonStep(hg, lambda, &size, &singular));
    if (singular) break;
    PetscCall(VecNorm(w, NORM_2, &wnorm));
    scale = first + size * wnorm;
    PetscCall(LineSearch(hg, lambda, norm <= rounding * scale ? 0 : max_halvings, w, &norm, &moved));
    if (moved) report->lower_its++;
    if (!moved) PetscCall(Residual(hg, lambda, w, exact->r, &norm));
  }
  report->lower_change = norm;
  if (PetscIsInfOrNanReal(norm))
    report->lower_reason = LLS_DIVERGED_NANORINF;
  else
    report->lower_reason = norm <= rounding * scale ? LLS_CONVERGED_RTOL : LLS_DIVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LowerInClosedForm(HG hg, Vec lambda, HGReport *report)
{
  Exact *exact = (Exact *)hg->data;

  PetscFunctionBegin;
  PetscCall(BLPGetExact(hg->blp, lambda, hg->x->v[0], NULL, NULL));
  PetscCall(Residual(hg, lambda, hg->x->v[0], exact->r, &report->lower_change));
  report->lower_reason =
      PetscIsInfOrNanReal(report->lower_change) ? LLS_DIVERGED_NANORINF : LLS_CONVERGED_RTOL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGLower_Exact(HG hg, Vec lambda)
{
  Exact *exact = (Exact *)hg->data;

  PetscFunctionBegin;
  if (exact->form) {
    PetscCall(LowerInClosedForm(hg, lambda, &hg->report));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(Newton(hg, lambda, exact->at->v[0], &hg->report));
  PetscCall(StateCopy(exact->at, hg->x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the adjoint */

/* v, with its relative residual in the report; whether that is rounding, which is of the size of A v. */
static PetscErrorCode SolveAdjoint(HG hg, HGReport *report, PetscBool *solved)
{
  Exact *exact = (Exact *)hg->data;
  PetscReal bnorm, vnorm, residual, size;
  PetscBool singular;
  const Vec v = exact->v->v[0];

  PetscFunctionBegin;
  PetscCall(VecZeroEntries(v)); /* which is exact where b = 0 */
  PetscCall(VecNorm(hg->g1, NORM_2, &bnorm));
  report->adjoint_residual = bnorm > 0 ? 1 : bnorm; /* NaN is handed on */
  *solved = (PetscBool)(bnorm == 0);
  if (PetscIsInfOrNanReal(bnorm) || bnorm == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Assemble(exact, FPMResidualVJP, &size, &singular));
  if (singular) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Solve(exact, FPMResidualVJP, hg->g1, v));
  PetscCall(LinearResidual(exact, FPMResidualVJP, hg->g1, v, exact->q));
  PetscCall(VecNorm(exact->q, NORM_2, &residual));
  PetscCall(VecNorm(v, NORM_2, &vnorm));
  report->adjoint_its = 1;
  report->adjoint_residual = residual / bnorm;
  *solved = (PetscBool)(residual <= rounding * (bnorm + size * vnorm)); /* false for NaN */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGAdjoint_Exact(HG hg, Vec lambda, Vec g)
{
  Exact *exact = (Exact *)hg->data;
  PetscBool solved = PETSC_FALSE;

  PetscFunctionBegin;
  if (exact->form) { /* all of it, grad2 E too */
    PetscCall(BLPGetExact(hg->blp, lambda, NULL, NULL, g));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FPMLinearize(exact->fpm, lambda, exact->at));
  PetscCall(SolveAdjoint(hg, &hg->report, &solved));
  hg->v = exact->v;
  hg->report.adjoint_reason = solved ? KSP_CONVERGED_RTOL : KSP_DIVERGED_BREAKDOWN;
  if (solved)
    PetscCall(FPMParameterVJPAdd(exact->fpm, exact->v, g));
  else
    hg->report.reason =
        PetscIsInfOrNanReal(hg->report.adjoint_residual) ? HG_DIVERGED_NANORINF : HG_DIVERGED_ADJOINT;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ set-up */

static PetscErrorCode CheckExact(HG hg, const char what[])
{
  PetscBool exact;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGEXACT, &exact));
  PetscCheck(exact, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONG,
             "%s: the hypergradient is not exact", what);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGExactSetMaxSize(HG hg, PetscInt size)
{
  PetscFunctionBegin;
  PetscCall(CheckExact(hg, "HGExactSetMaxSize()"));
  PetscCheck(size > 0, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_OUTOFRANGE,
             "-hg_exact_max_size %" PetscInt_FMT ": must be positive", size);
  ((Exact *)hg->data)->max_size = size;
  hg->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGExactSetSolver(HG hg, HGExactSolver solver)
{
  PetscFunctionBegin;
  PetscCall(CheckExact(hg, "HGExactSetSolver()"));
  ((Exact *)hg->data)->solver = solver;
  hg->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGExactSetClosedForm(HG hg, PetscBool use)
{
  PetscFunctionBegin;
  PetscCall(CheckExact(hg, "HGExactSetClosedForm()"));
  ((Exact *)hg->data)->wants_form = use;
  hg->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckSize(HG hg)
{
  Exact *exact = (Exact *)hg->data;
  const char *const prefix = ((PetscObject)hg)->prefix ? ((PetscObject)hg)->prefix : "";

  PetscFunctionBegin;
  PetscCall(BLPGetSizes(hg->blp, NULL, &exact->n));
  PetscCheck(
      exact->n <= exact->max_size, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
      "-%shg_type exact is for small problems: w has %" PetscInt_FMT " entries and -%shg_exact_max_size "
      "is %" PetscInt_FMT "; raise it for a matrix of %.2g GB and as many products at each Newton step, or "
      "use -%shg_type aid with small -%slls_rtol and -%shg_ksp_rtol",
      prefix, exact->n, prefix, exact->max_size,
      (double)exact->n * (double)exact->n * sizeof(PetscScalar) / 1e9, prefix, prefix, prefix);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reset(HG hg)
{
  Exact *exact = (Exact *)hg->data;

  PetscFunctionBegin;
  hg->v = NULL;
  PetscCall(TwofoldDirectDestroy(&exact->A));
  PetscCall(StateDestroy(&exact->at));
  PetscCall(StateDestroy(&exact->in));
  PetscCall(StateDestroy(&exact->out));
  PetscCall(StateDestroy(&exact->v));
  PetscCall(VecDestroy(&exact->trial));
  PetscCall(VecDestroy(&exact->r));
  PetscCall(VecDestroy(&exact->p));
  PetscCall(VecDestroy(&exact->q));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGSetUp_Exact(HG hg)
{
  Exact *exact = (Exact *)hg->data;

  PetscFunctionBegin;
  PetscCall(Reset(hg));
  PetscCall(BLPHasLoss(hg->blp, &exact->loss));
  PetscCall(BLPHasExact(hg->blp, &exact->form));
  exact->form = (PetscBool)(exact->form && exact->wants_form);
  PetscCall(VecDuplicate(hg->g1, &exact->r));
  if (exact->form) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CheckSize(hg));
  PetscCall(FPMSetBLP(exact->fpm, hg->blp));
  PetscCall(FPMCreateState(exact->fpm, &exact->at));
  PetscCall(FPMCreateState(exact->fpm, &exact->in));
  PetscCall(FPMCreateState(exact->fpm, &exact->out));
  PetscCall(FPMCreateState(exact->fpm, &exact->v));
  PetscCall(VecDuplicate(hg->g1, &exact->trial));
  PetscCall(VecDuplicate(hg->g1, &exact->p));
  PetscCall(VecDuplicate(hg->g1, &exact->q));
  PetscCall(TwofoldDirectCreate(hg->g1, (TwofoldDirectKind)exact->solver, &exact->A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGSetFromOptions_Exact(HG hg, PetscOptionItems *PetscOptionsObject)
{
  PetscInt size = ((Exact *)hg->data)->max_size;
  PetscBool use = ((Exact *)hg->data)->wants_form;
  HGExactSolver solver = ((Exact *)hg->data)->solver;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-hg_exact_max_size", "Largest w that exact takes, entries", "HGExactSetMaxSize",
                            size, &size, NULL));
  PetscCall(HGExactSetMaxSize(hg, size));
  PetscCall(PetscOptionsEnum("-hg_exact_solver", "What dense systems are solved by", "HGExactSetSolver",
                             HGExactSolvers, (PetscEnum)solver, (PetscEnum *)&solver, NULL));
  PetscCall(HGExactSetSolver(hg, solver));
  PetscCall(PetscOptionsBool("-hg_exact_closed_form", "Take the problem's closed form where it has one",
                             "HGExactSetClosedForm", use, &use, NULL));
  PetscCall(HGExactSetClosedForm(hg, use));
  PetscCall(TwofoldChildPrefix((PetscObject)((Exact *)hg->data)->fpm, (PetscObject)hg, "hg_exact_"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGView_Exact(HG hg, PetscViewer viewer)
{
  Exact *exact = (Exact *)hg->data;

  PetscFunctionBegin;
  if (exact->form) {
    PetscCall(PetscViewerASCIIPrintf(viewer, "by the problem's closed form\n"));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(
      PetscViewerASCIIPrintf(viewer,
                             "lower level by Newton's method from 0, adjoint by a direct solve, w of at "
                             "most %" PetscInt_FMT " entries\n",
                             exact->max_size));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGGetMemory_Exact(HG hg, PetscLogDouble *bytes)
{
  Exact *exact = (Exact *)hg->data;
  PetscInt nlocal;
  PetscLogDouble matrix;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(hg->g1, &nlocal));
  if (exact->form) {
    *bytes += (PetscLogDouble)sizeof(PetscScalar) * (PetscLogDouble)nlocal; /* a residual */
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(TwofoldDirectGetMemory(exact->A, &matrix));
  *bytes += matrix + 9.0 * (PetscLogDouble)nlocal * sizeof(PetscScalar); /* eight vectors and the map's */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HGDestroy_Exact(HG hg)
{
  Exact *exact = (Exact *)hg->data;

  PetscFunctionBegin;
  PetscCall(Reset(hg));
  PetscCall(FPMDestroy(&exact->fpm));
  PetscCall(PetscFree(hg->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCreate_Exact(HG hg)
{
  Exact *exact;

  PetscFunctionBegin;
  PetscCall(PetscNew(&exact));
  hg->data = exact;
  exact->max_size = 5000;
  exact->wants_form = PETSC_TRUE;
  PetscCall(FPMCreate(PetscObjectComm((PetscObject)hg), &exact->fpm));
  hg->ops->setfromoptions = HGSetFromOptions_Exact;
  hg->ops->setup = HGSetUp_Exact;
  hg->ops->lower = HGLower_Exact;
  hg->ops->adjoint = HGAdjoint_Exact;
  hg->ops->view = HGView_Exact;
  hg->ops->memory = HGGetMemory_Exact;
  hg->ops->destroy = HGDestroy_Exact;
  PetscFunctionReturn(PETSC_SUCCESS);
}
