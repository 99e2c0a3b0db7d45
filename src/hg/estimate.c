/* The estimate of a hypergradient's error, by one linearised correction of w and v. At the computed w^, v^
   with the residuals r = Phi(w^) - w^ and s = grad1 E - (I - d1Phi^T) v^,

     (I - d1Phi) dw   = r
     (I - d1Phi^T) dv = s + D_w[grad1 E - (I - d1Phi^T) v^] dw
     dg               = grad2 E + d2Phi^T (v^ + dv) + D_w[grad2 E + d2Phi^T v^] dw - g

   w^ + dw and v^ + dv are a step of Newton's method for the two equations, so that g + dg is in error by the
   square of what g is in error by, but for what the inner solves leave: ||dg|| estimates the error of g, and
   bounds nothing. All products are those of one map: of gradient descent with step 1 where the lower level is
   a loss, Phi = w - grad_w l, whatever map it was solved by; else of the problem's own.

   aid has a v^ for its map, and of a map made from the loss with step a, the loss's is a times its first
   vector. itd has none; the sum of its adjoint states, sum_i a_i, is the Neumann sum of as many terms along
   the iterates, and serves as v^: dg then holds what g differs by from that, too. */
#include <twofold/impl/fpmimpl.h>
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/precondimpl.h>

struct _n_HGEstimate {
  FPM map;
  KSP ksp;
  Mat A;               /* I - d1Phi^T, and its transpose */
  PetscBool symmetric; /* A */
  Vec s, b;            /* right-hand sides for dv: the residual s, and what dw adds */
  Vec dw, v, dv, y;    /* in w's space; y is work */
  Vec dg, y2;          /* in lambda's: the correction; work */
  Vec corrected;       /* g + dg of the last quick estimate */
  PetscBool better;    /* v is better than the adjoint's, and has not been taken over */
  PetscInt products;   /* since HGBeginEstimate_Private() */
  PetscBool exhausted; /* an inner solve of the last estimate did not reach its tolerance */
  HGPoint dw_at;       /* where dw was computed */
  PetscReal scale;     /* v = scale times that of the adjoint's map */
};

/* ------------------------------------------------------------------ the inner solves */

static PetscErrorCode ApplyProduct(Mat A, PetscErrorCode (*product)(FPM, State, State), Vec x, Vec y)
{
  struct _State in = {.n = 1, .v = {x}}, out = {.n = 1, .v = {y}};
  HGEstimate est;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(A, &est));
  PetscCall((*product)(est->map, &in, &out));
  est->products++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_Estimate(Mat A, Vec x, Vec y)
{
  PetscFunctionBegin;
  PetscCall(ApplyProduct(A, FPMResidualVJP, x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMultTranspose_Estimate(Mat A, Vec x, Vec y)
{
  PetscFunctionBegin;
  PetscCall(ApplyProduct(A, FPMResidualJVP, x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x <- A^{-1} b, or A^{-T} b, as far as the steps allowed go. */
static PetscErrorCode InnerSolve(HGEstimate est, PetscBool transpose, Vec b, Vec x)
{
  KSPConvergedReason reason;

  PetscFunctionBegin;
  if (transpose && !est->symmetric)
    PetscCall(KSPSolveTranspose(est->ksp, b, x));
  else
    PetscCall(KSPSolve(est->ksp, b, x));
  PetscCall(KSPGetConvergedReason(est->ksp, &reason));
  if (reason < 0) est->exhausted = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the correction */

/* dw, unless it is there; the map's point is w from here on. */
static PetscErrorCode LowerCorrection(HG hg, Vec lambda)
{
  HGEstimate est = hg->estimate;
  struct _State w = {.n = 1, .v = {hg->x->v[0]}};
  PetscBool moved;
  PetscInt products;
  Vec r;

  PetscFunctionBegin;
  PetscCall(FPMLinearize(est->map, lambda, &w));
  PetscCall(HGHasMoved_Private(hg, lambda, &est->dw_at, &moved));
  if (!moved) PetscFunctionReturn(PETSC_SUCCESS);
  est->exhausted = PETSC_FALSE;
  PetscCall(HGGetLowerResidual_Private(hg, lambda, est->map->uses_map, &r, &products));
  est->products += products;
  PetscCall(InnerSolve(est, PETSC_TRUE, r, est->dw));
  PetscCall(HGGetPoint_Private(hg, lambda, &est->dw_at));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* s = grad1 E - (I - d1Phi^T) v, b = D_w[that] dw, dg = D_w[grad2 E + d2Phi^T v] dw. */
static PetscErrorCode RightHandSides(HG hg, Vec lambda)
{
  HGEstimate est = hg->estimate;
  struct _State w = {.n = 1, .v = {hg->x->v[0]}}, v = {.n = 1, .v = {est->v}};
  struct _State dw = {.n = 1, .v = {est->dw}}, y = {.n = 1, .v = {est->y}};

  PetscFunctionBegin;
  PetscCall(MatMult(est->A, est->v, est->s));
  PetscCall(VecAYPX(est->s, -1, hg->g1));
  PetscCall(FPMVJPDerivative(est->map, lambda, &w, &v, &dw, &y, est->dg));
  est->products += 2;
  PetscCall(BLPUpperDerivative(hg->blp, lambda, w.v[0], est->dw, est->b, est->y2));
  PetscCall(VecAXPY(est->b, 1, est->y));
  PetscCall(VecAXPY(est->dg, 1, est->y2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The same at w + dw itself: s is the residual of v there, and so the right-hand side for dv, of norm *moved;
   dg = grad2 E + d2Phi^T v. One product and one look at E, and what of the next order there is in dw is in
   it. */
static PetscErrorCode MovedSides(HG hg, Vec lambda, PetscReal *moved)
{
  HGEstimate est = hg->estimate;
  struct _State at = {.n = 1, .v = {est->y}}, v = {.n = 1, .v = {est->v}}, s = {.n = 1, .v = {est->s}};
  PetscReal E;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(est->y, 1, est->dw, hg->x->v[0]));
  PetscCall(FPMLinearize(est->map, lambda, &at));
  PetscCall(FPMResidualVJP(est->map, &v, &s));
  est->products++;
  PetscCall(BLPUpper(hg->blp, lambda, est->y, &E, est->b, est->dg));
  PetscCall(FPMParameterVJPAdd(est->map, &v, est->dg));
  PetscCall(VecAYPX(est->s, -1, est->b));
  PetscCall(VecNorm(est->s, NORM_2, moved));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* dv, and v <- v + dv. */
static PetscErrorCode AdjointCorrection(HGEstimate est)
{
  PetscFunctionBegin;
  PetscCall(InnerSolve(est, PETSC_FALSE, est->s, est->dv));
  PetscCall(VecAXPY(est->v, 1, est->dv));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* dg from D_w[grad2 E + d2Phi^T v] dw. */
static PetscErrorCode Correction(HG hg, Vec lambda, Vec g)
{
  HGEstimate est = hg->estimate;
  struct _State v = {.n = 1, .v = {est->v}};

  PetscFunctionBegin;
  PetscCall(RightHandSides(hg, lambda));
  PetscCall(VecAXPY(est->s, 1, est->b));
  PetscCall(AdjointCorrection(est));
  PetscCall(FPMParameterVJPAdd(est->map, &v, est->dg));
  PetscCall(VecAXPBYPCZ(est->dg, 1, -1, 1, hg->g2, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* dg from what is at w + dw. Its parts: what is left of it where v + dv takes the place of v, and what dv
   makes, by the right-hand side for it. */
static PetscErrorCode QuickCorrection(HG hg, Vec lambda, Vec g)
{
  HGEstimate est = hg->estimate;
  struct _State dv = {.n = 1, .v = {est->dv}};
  PetscReal moved;

  PetscFunctionBegin;
  PetscCall(MovedSides(hg, lambda, &moved));
  PetscCall(AdjointCorrection(est));
  PetscCall(VecAXPY(est->dg, -1, g));
  PetscCall(VecNorm(est->dg, NORM_2, &hg->parts.lower));
  PetscCall(VecZeroEntries(est->y2));
  PetscCall(FPMParameterVJPAdd(est->map, &dv, est->y2));
  PetscCall(VecNorm(est->y2, NORM_2, &hg->parts.adjoint));
  hg->parts.per_s = moved > 0 ? hg->parts.adjoint / moved : 0;
  PetscCall(VecAXPY(est->dg, 1, est->y2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ set-up */

static PetscErrorCode CreateKSP(HG hg)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  HGEstimate est = hg->estimate;
  PetscInt nlocal, n;
  PC pc;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(est->s, &nlocal));
  PetscCall(VecGetSize(est->s, &n));
  PetscCall(MatCreateShell(comm, nlocal, nlocal, n, n, est, &est->A));
  PetscCall(MatShellSetOperation(est->A, MATOP_MULT, (void (*)(void))MatMult_Estimate));
  PetscCall(MatShellSetOperation(est->A, MATOP_MULT_TRANSPOSE, (void (*)(void))MatMultTranspose_Estimate));
  PetscCall(KSPCreate(comm, &est->ksp));
  PetscCall(TwofoldChildPrefix((PetscObject)est->ksp, (PetscObject)hg, "hg_estimate_"));
  PetscCall(FPMIsSymmetric(est->map, &est->symmetric));
  PetscCall(KSPSetType(est->ksp, est->symmetric ? KSPCG : KSPGMRES));
  PetscCall(KSPGetPC(est->ksp, &pc));
  PetscCall(PCSetType(pc, PCNONE));
  PetscCall(KSPSetOperators(est->ksp, est->A, est->A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGDestroyEstimate_Private(HG hg)
{
  HGEstimate est = hg->estimate;

  PetscFunctionBegin;
  if (!est) PetscFunctionReturn(PETSC_SUCCESS);
  Vec *const vecs[] = {&est->s, &est->b,  &est->dw, &est->v,        &est->dv,
                       &est->y, &est->dg, &est->y2, &est->corrected};
  for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++) PetscCall(VecDestroy(vecs[i]));
  PetscCall(KSPDestroy(&est->ksp));
  PetscCall(MatDestroy(&est->A));
  PetscCall(FPMDestroy(&est->map));
  PetscCall(PetscFree(hg->estimate));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The hypergradient's preconditioner is one of the Hessian, which is A. Its norm of the residual is the
   better measure of what is left. */
static PetscErrorCode Precondition(HG hg)
{
  HGEstimate est = hg->estimate;
  Precond precond = NULL;
  PetscBool none = PETSC_TRUE;

  PetscFunctionBegin;
  PetscTryTypeMethod(hg, precond, &precond);
  if (precond) PetscCall(PrecondIsNone_Private(precond, &none));
  if (none || est->map->uses_map) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PrecondSetKSP(precond, est->ksp));
  PetscCall(KSPSetNormType(est->ksp, KSP_NORM_PRECONDITIONED));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* For maps of the kind, made from the loss or the problem's own, of the one that `like` is. */
static PetscErrorCode SetUp(HG hg, FPM like)
{
  HGEstimate est;

  PetscFunctionBegin;
  if (hg->estimate && hg->estimate->map->uses_map == like->uses_map) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(HGDestroyEstimate_Private(hg));
  PetscCall(PetscNew(&est));
  hg->estimate = est;
  PetscCall(FPMCreate(PetscObjectComm((PetscObject)hg), &est->map));
  PetscCall(FPMSetBLP(est->map, hg->blp));
  PetscCall(FPMSetType(est->map, like->uses_map ? ((PetscObject)like)->type_name : FPMGD)); /* of step 1 */
  PetscCall(BLPCreateVecs(hg->blp, &est->dg, &est->s));
  PetscCall(VecDuplicate(est->dg, &est->y2));
  PetscCall(VecDuplicate(est->dg, &est->corrected));
  Vec *const like_w[] = {&est->b, &est->dw, &est->v, &est->dv, &est->y};
  for (size_t i = 0; i < sizeof(like_w) / sizeof(like_w[0]); i++) PetscCall(VecDuplicate(est->s, like_w[i]));
  PetscCall(CreateKSP(hg));
  PetscCall(Precondition(hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The map, and v^ of the last solve in its terms, where there is one. */
static PetscErrorCode Begin(HG hg, PetscReal rtol)
{
  HGEstimate est;
  FPM fpm;
  Vec v;

  PetscFunctionBegin;
  PetscUseTypeMethod(hg, firstadjoint, &fpm, &v);
  PetscCall(SetUp(hg, fpm));
  est = hg->estimate;
  PetscCall(KSPSetTolerances(est->ksp, rtol, PETSC_DEFAULT, PETSC_DEFAULT, hg->estimate_max_it));
  est->scale = fpm->uses_map ? 1 : fpm->step;
  if (!v) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecCopy(v, est->v));
  PetscCall(VecScale(est->v, est->scale));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ settings */

PetscErrorCode HGSetEstimateTolerances(HG hg, PetscReal rtol, PetscInt max_it)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);

  PetscFunctionBegin;
  PetscCheck(rtol > 0 && rtol < 1, comm, PETSC_ERR_ARG_OUTOFRANGE, "-hg_estimate_rtol %g: must be in (0, 1)",
             (double)rtol);
  PetscCheck(max_it >= 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-hg_estimate_max_it %" PetscInt_FMT ": at least one step", max_it);
  hg->estimate_rtol = rtol;
  hg->estimate_max_it = max_it;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetCorrect(HG hg, PetscBool correct)
{
  PetscFunctionBegin;
  hg->correct = correct;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetCorrect(HG hg, PetscBool *correct)
{
  PetscFunctionBegin;
  *correct = hg->correct;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGEstimateFromOptions_Private(HG hg, PetscOptionItems *PetscOptionsObject)
{
  PetscReal rtol = hg->estimate_rtol;
  PetscInt max_it = hg->estimate_max_it;

  PetscFunctionBegin;
  PetscCall(PetscOptionsReal("-hg_estimate_rtol", "Tolerance of the estimate's linear solves",
                             "HGSetEstimateTolerances", rtol, &rtol, NULL));
  PetscCall(PetscOptionsInt("-hg_estimate_max_it", "Steps at most in each of them", "HGSetEstimateTolerances",
                            max_it, &max_it, NULL));
  PetscCall(HGSetEstimateTolerances(hg, rtol, max_it));
  PetscCall(PetscOptionsBool("-hg_correct", "Correct the hypergradient by the vector of the estimate",
                             "HGSetCorrect", hg->correct, &hg->correct, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetCorrection(HG hg, Vec *dg)
{
  PetscFunctionBegin;
  PetscCall(HGCheckOneLevel_Private(hg, "HGGetCorrection()"));
  PetscCheck(hg->report.estimate.standing, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONGSTATE,
             "there is no correction: %s", hg->report.estimate.origin);
  *dg = hg->estimate->dg;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGEstimateAddMemory_Private(HG hg, PetscLogDouble *bytes)
{
  PetscInt nw;

  PetscFunctionBegin;
  if (!HGWantsEstimate_Private(hg)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecGetLocalSize(hg->g1, &nw));
  /* r, those of the struct, two of differences, and about four of the inner solver; lambda is the smaller
   * space */
  *bytes += 13.0 * (PetscLogDouble)nw * sizeof(PetscScalar);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ before and after a solve */

PetscBool HGWantsEstimate_Private(HG hg)
{
  return (PetscBool)(hg->correct || hg->certificate == HG_CERTIFICATE_ESTIMATE ||
                     hg->certificate == HG_CERTIFICATE_BOTH ||
                     (HGHasTolerance_Private(hg) && !HGWantsBound_Private(hg)));
}

/* What keeps hg from an estimate; NULL: nothing. */
static const char *Obstacle(HG hg, PetscBool has_adjoint)
{
  if (hg->report.reason <= HG_DIVERGED_NANORINF) return "there is no hypergradient";
  if (!has_adjoint) return "this type of hypergradient leaves no adjoint to start from";
  return NULL;
}

void HGBeginEstimate_Private(HG hg)
{
  hg->r_at = (HGPoint){.seen = {{0}}}; /* the problem may be another */
  if (!hg->estimate) return;
  hg->estimate->dw_at = hg->r_at;
  hg->estimate->products = 0;
}

PetscBool HGEstimateIsBetter_Private(HG hg)
{
  return hg->estimate->better;
}

PetscErrorCode HGEstimateGetAdjoint_Private(HG hg, Vec *v)
{
  HGEstimate est = hg->estimate;

  PetscFunctionBegin;
  *v = NULL;
  if (!hg->report.estimate.standing || !est->better) PetscFunctionReturn(PETSC_SUCCESS);
  est->better = PETSC_FALSE;
  PetscCall(VecCopy(est->v, est->y));
  PetscCall(VecScale(est->y, 1 / est->scale));
  *v = est->y;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGKeepUpper_Private(HG hg, Vec g2)
{
  PetscFunctionBegin;
  if (!HGWantsEstimate_Private(hg)) PetscFunctionReturn(PETSC_SUCCESS);
  if (!hg->g2) PetscCall(VecDuplicate(g2, &hg->g2));
  PetscCall(VecCopy(g2, hg->g2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tell(HG hg)
{
  static const char *const origins[] = {
      "an estimate to first order, not a bound",
      "an estimate to first order, not a bound; its inner solves made all their steps (-hg_estimate_max_it)"};
  PetscReal norm;

  PetscFunctionBegin;
  PetscCall(VecNorm(hg->estimate->dg, NORM_2, &norm));
  hg->report.estimate = (TwofoldConstant){.value = norm,
                                          .error = NAN,
                                          .standing = TWOFOLD_COMPUTED,
                                          .origin = origins[hg->estimate->exhausted],
                                          .products = hg->estimate->products};
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGComputeEstimate_Private(HG hg, Vec lambda, Vec g)
{
  TwofoldConstant *const estimate = &hg->report.estimate;

  PetscFunctionBegin;
  if (!HGWantsEstimate_Private(hg)) PetscFunctionReturn(PETSC_SUCCESS);
  estimate->origin = Obstacle(hg, (PetscBool)(hg->ops->firstadjoint != NULL));
  if (estimate->origin) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Begin(hg, hg->estimate_rtol));
  PetscCall(LowerCorrection(hg, lambda));
  PetscCall(Correction(hg, lambda, g));
  PetscCall(Tell(hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGQuickEstimate_Private(HG hg, Vec lambda, Vec g, PetscReal rtol)
{
  PetscFunctionBegin;
  PetscCall(Begin(hg, rtol));
  PetscCall(LowerCorrection(hg, lambda));
  PetscCall(QuickCorrection(hg, lambda, g));
  PetscCall(Tell(hg));
  hg->estimate->better = PETSC_TRUE;
  PetscCall(VecWAXPY(hg->estimate->corrected, 1, hg->estimate->dg, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGEstimateAgain_Private(HG hg, Vec g, PetscReal least)
{
  TwofoldConstant *const estimate = &hg->report.estimate;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(hg->estimate->dg, -1, g, hg->estimate->corrected));
  PetscCall(Tell(hg));
  estimate->value = PetscMax(estimate->value, least);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What is told of the error of g + dg: the triangle's bound + ||dg||. A dg of more than twice the bound takes
   g further off than it is. */
PetscErrorCode HGCorrect_Private(HG hg, Vec g)
{
  TwofoldConstant *const bound = &hg->report.bound, *const estimate = &hg->report.estimate;

  PetscFunctionBegin;
  if (!hg->correct || !estimate->standing) PetscFunctionReturn(PETSC_SUCCESS);
  if (bound->standing) {
    if (estimate->value > 2 * bound->value) {
      estimate->origin = "an estimate of more than twice the bound: wrong, and nothing was corrected by it";
      PetscFunctionReturn(PETSC_SUCCESS);
    }
    bound->value += estimate->value;
  }
  PetscCall(VecAXPY(g, 1, hg->estimate->dg));
  PetscCall(VecNorm(g, NORM_2, &hg->report.norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
