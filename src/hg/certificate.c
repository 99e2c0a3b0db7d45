/* What a hypergradient tells of its own error: the constants and residuals at the end of a solve, for the
   formulas of src/bound/certificate.c.

   A lower level that is a loss counts as Phi = w - grad_w l, whatever solved it. Any adjoint by a map made
   from the loss becomes that of this one: with gd at step a, a H v = grad1 E, so v_loss = a v with the same
   residual; of a pair (v, v') by heavy ball or Nesterov's map, whose two residuals sum up to a H v - grad1 E,
   v_loss = a v and s is the sum. */
#include <twofold/certificate.h>
#include <twofold/impl/boundimpl.h>
#include <twofold/impl/fpmimpl.h>
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/llsimpl.h>

TwofoldConstant HGNoBound_Private(const char why[])
{
  return (TwofoldConstant){.value = NAN, .error = NAN, .origin = why};
}

PetscBool HGWantsBound_Private(HG hg)
{
  return (PetscBool)(hg->certificate == HG_CERTIFICATE_BOUND || hg->certificate == HG_CERTIFICATE_BOTH);
}

TwofoldConstant HGMakeBound_Private(PetscReal value, TwofoldStanding standing, const char missing[])
{
  static const char *const origins[] = {"", "residuals and proved constants",
                                        "residuals and constants, some of them computed at the iterate",
                                        "residuals and constants, some of them the caller's, not checked"};

  if (standing == TWOFOLD_UNKNOWN) return HGNoBound_Private(missing);
  return (TwofoldConstant){.value = value, .standing = standing, .origin = origins[standing]};
}

/* ------------------------------------------------------------------ what is known of the lower level */

/* How far w^ is from w(lambda), and the constants around it. */
typedef struct {
  PetscBool map;         /* the problem's own map, else its loss */
  PetscReal residual, e; /* ||grad_w l(w^)|| or ||Phi(w^) - w^||, and the distance it leaves */
  BoundNumbers a;
  TwofoldStanding standing;
  const char *missing; /* the first constant that is not known */
  PetscInt products;
} Lower;

static void Need(Lower *lower, const TwofoldConstant *c, const char missing[])
{
  const BoundNeed need = {c, missing};

  BoundJoin_Private(1, &need, &lower->standing, &lower->missing);
}

PetscErrorCode HGGetPoint_Private(HG hg, Vec lambda, HGPoint *point)
{
  PetscFunctionBegin;
  PetscCall(TwofoldSee(hg->x->v[0], &point->seen[0]));
  PetscCall(TwofoldSee(lambda, &point->seen[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGHasMoved_Private(HG hg, Vec lambda, const HGPoint *point, PetscBool *moved)
{
  const Vec at[2] = {hg->x->v[0], lambda};

  PetscFunctionBegin;
  PetscCall(TwofoldHasChanged(2, at, point->seen, moved));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetLowerResidual_Private(HG hg, Vec lambda, PetscBool map, Vec *r, PetscInt *products)
{
  const Vec w = hg->x->v[0];
  PetscBool moved;

  PetscFunctionBegin;
  if (!hg->r) PetscCall(VecDuplicate(w, &hg->r));
  *r = hg->r;
  *products = 0;
  PetscCall(HGHasMoved_Private(hg, lambda, &hg->r_at, &moved));
  if (!moved) PetscFunctionReturn(PETSC_SUCCESS);
  if (map) {
    PetscCall(BLPMapApply(hg->blp, lambda, w, hg->r));
    PetscCall(VecAXPY(hg->r, -1, w));
  } else {
    PetscCall(BLPLossGradient(hg->blp, lambda, w, NULL, hg->r));
    PetscCall(VecScale(hg->r, -1));
  }
  PetscCall(HGGetPoint_Private(hg, lambda, &hg->r_at));
  *products = 1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetResidual(HG hg, Vec lambda, Lower *lower)
{
  PetscInt products;
  Vec r;

  PetscFunctionBegin;
  PetscCall(HGGetLowerResidual_Private(hg, lambda, lower->map, &r, &products));
  PetscCall(VecNorm(r, NORM_2, &lower->residual));
  lower->products += products;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* mu and e from the least eigenvalue at w^, where that says more than the formula: by a hundredth, for what
   is computed stands behind what is proved. */
static PetscErrorCode UseBall(HG hg, Vec lambda, Lower *lower, TwofoldConstant *mu)
{
  const Vec w = hg->x->v[0];
  const PetscReal global = mu->standing ? PetscMax(BoundAtLeast_Private(mu), 0) : 0;
  TwofoldConstant L, lmin;
  BLPLipschitz on;
  PetscReal e, near;

  PetscFunctionBegin;
  PetscCall(BLPGetLipschitz(hg->blp, PETSC_FALSE, lambda, w, lower->e, &on));
  if (!on.nu1.standing) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BoundHessian(hg->blp, lambda, w, NULL, &L, &lmin));
  lower->products += L.products + lmin.products;
  PetscCall(BoundDistance(lower->residual, global, BoundAtLeast_Private(&lmin), BoundAtMost_Private(&on.nu1),
                          &e, &near));
  if (!lmin.standing || !(near > 1.01 * global)) PetscFunctionReturn(PETSC_SUCCESS);
  lower->e = e;
  *mu = lmin;
  mu->value = near;
  mu->error = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* e and M of the loss. */
static PetscErrorCode MeasureLoss(HG hg, Vec lambda, PetscBool ball, Lower *lower)
{
  TwofoldConstant mu;
  PetscReal near;

  PetscFunctionBegin;
  PetscCall(GetResidual(hg, lambda, lower));
  PetscCall(BLPGetStrongConvexity(hg->blp, lambda, &mu));
  PetscCall(BoundDistance(lower->residual, mu.standing ? PetscMax(BoundAtLeast_Private(&mu), 0) : 0, NAN, NAN,
                          &lower->e, &near));
  if (ball) PetscCall(UseBall(hg, lambda, lower, &mu));
  Need(lower, &mu, "mu is not given by the problem (-hg_certificate_mu ball: computed for aid)");
  lower->a.M = 1 / PetscMax(BoundAtLeast_Private(&mu), 0);
  if (mu.standing && PetscIsInfReal(lower->a.M)) {
    lower->standing = TWOFOLD_UNKNOWN;
    lower->missing = "mu is 0, and no residual bounds the distance to w(lambda)";
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* q, e and M of the problem's own map. */
static PetscErrorCode MeasureMap(HG hg, Vec lambda, Lower *lower)
{
  TwofoldConstant q;

  PetscFunctionBegin;
  PetscCall(GetResidual(hg, lambda, lower));
  PetscCall(BLPGetContraction(hg->blp, lambda, &q));
  Need(lower, &q, "q of the map is not given by the problem");
  lower->a.q = BoundAtMost_Private(&q);
  lower->a.M = 1 / (1 - lower->a.q);
  lower->e = lower->residual * lower->a.M;
  if (q.standing && lower->a.q >= 1) {
    lower->standing = TWOFOLD_UNKNOWN;
    lower->missing = "q of the map is not below 1: it may not be a contraction";
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The Lipschitz constants between w(lambda) and whatever is as far as `radius` from w^. */
static PetscErrorCode GetLipschitz(HG hg, Vec lambda, PetscReal radius, Lower *lower)
{
  BLPLipschitz on;

  PetscFunctionBegin;
  if (lower->standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS); /* there is no ball */
  PetscCall(BLPGetLipschitz(hg->blp, lower->map, lambda, hg->x->v[0], radius, &on));
  BoundJoinLipschitz_Private(&on, &lower->standing, &lower->missing);
  BoundSetLipschitz_Private(&on, &lower->a);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the map's derivatives are those of: gradient descent and its kin, or the problem's own map. */
static PetscErrorCode GetKind(FPM fpm, PetscBool *known, PetscBool *map)
{
  PetscFunctionBegin;
  *map = fpm->uses_map;
  *known = (PetscBool)(fpm->uses_map || fpm->method != FPM_METHOD_OTHER);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ aid */

/* Norm of the adjoint's residual where v is that of a step of size 1. */
static PetscErrorCode AdjointResidual(HG hg, FPM fpm, PetscInt *products, PetscReal *s)
{
  PetscReal norm;
  State r;

  PetscFunctionBegin;
  if (hg->v->n == 1) { /* recomputed by the solve */
    PetscCall(VecNorm(hg->g1, NORM_2, &norm));
    *s = hg->report.adjoint_residual * norm;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FPMCreateState(fpm, &r));
  PetscCall(FPMResidualVJP(fpm, hg->v, r));
  for (PetscInt k = 1; k < r->n; k++) PetscCall(VecAXPY(r->v[0], 1, r->v[k]));
  PetscCall(VecAXPY(r->v[0], -1, hg->g1));
  PetscCall(VecNorm(r->v[0], NORM_2, s));
  PetscCall(StateDestroy(&r));
  (*products)++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Distance from w^ to the point of the adjoint's derivatives, which Nesterov's map takes ahead. */
static PetscErrorCode PointAhead(HG hg, FPM fpm, PetscReal *d)
{
  Vec moved;

  PetscFunctionBegin;
  *d = 0;
  if (fpm->method != FPM_METHOD_NESTEROV || hg->x->n == 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDuplicate(hg->g1, &moved));
  PetscCall(VecWAXPY(moved, -1, hg->x->v[1], hg->x->v[0]));
  PetscCall(VecNorm(moved, NORM_2, d));
  PetscCall(VecDestroy(&moved));
  *d *= fpm->momentum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The constants on the ball around w^ that holds w(lambda) and the derivatives' point, those of the
   derivatives along v. */
static PetscErrorCode GetLipschitzAlong(HG hg, Vec lambda, FPM fpm, Lower *lower, BoundResiduals *r)
{
  const PetscReal step = lower->map ? 1 : fpm->step, radius = PetscMax(r->e, r->d);
  const Vec w = hg->x->v[0];
  BLPLipschitz on;

  PetscFunctionBegin;
  if (lower->standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS); /* there is no ball */
  PetscCall(BLPGetLipschitz(hg->blp, lower->map, lambda, w, radius, &on));
  PetscCall(BLPGetLipschitzAlong(hg->blp, lower->map, lambda, w, radius, hg->v->v[0], &on.nu1, &on.nu2));
  BoundJoinLipschitz_Private(&on, &lower->standing, &lower->missing);
  BoundSetLipschitz_Private(&on, &lower->a);
  r->nu1 = step * lower->a.nu1;
  r->nu2 = step * lower->a.nu2;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCertifyAdjoint_Private(HG hg, Vec lambda, FPM fpm)
{
  Lower lower = {.standing = TWOFOLD_PROVED};
  BoundResiduals r;
  PetscReal bound = NAN;
  PetscBool known;

  PetscFunctionBegin;
  if (FPMFollows_Private(fpm)) {
    hg->report.bound =
        HGNoBound_Private("the bound is for a step that is a constant: leave out -hg_fpm_differentiate_step");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(GetKind(fpm, &known, &lower.map));
  if (!known) {
    hg->report.bound = HGNoBound_Private("nothing is known of the adjoint's map");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(AdjointResidual(hg, fpm, &lower.products, &r.s)); /* while the map is at this point */
  PetscCall(PointAhead(hg, fpm, &r.d));
  if (lower.map)
    PetscCall(MeasureMap(hg, lambda, &lower));
  else
    PetscCall(MeasureLoss(hg, lambda, (PetscBool)(hg->certificate_mu == HG_MU_BALL), &lower));
  r.e = lower.e;
  PetscCall(GetLipschitzAlong(hg, lambda, fpm, &lower, &r));
  if (lower.standing) {
    PetscCall(BoundCertificateAID(&lower.a, &r, &bound));
    r.s = 0;
    PetscCall(BoundCertificateAID(&lower.a, &r, &hg->parts.lower));
    hg->parts.adjoint = bound - hg->parts.lower;
  }
  hg->report.bound = HGMakeBound_Private(bound, lower.standing, lower.missing);
  hg->report.bound.products = lower.products;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ itd */

/* q of gradient descent with the map's step. */
static PetscErrorCode MeasureStep(HG hg, Vec lambda, FPM fpm, Lower *lower)
{
  TwofoldConstant mu, L, q;

  PetscFunctionBegin;
  PetscCall(BLPGetStrongConvexity(hg->blp, lambda, &mu));
  PetscCall(BLPGetSmoothness(hg->blp, lambda, &L));
  PetscCall(BoundSpectralRadius(FPM_METHOD_GD, fpm->step, 0, &mu, &L, &q));
  Need(lower, &L, "L is not given by the problem");
  lower->a.q = BoundAtMost_Private(&q);
  if (lower->standing && lower->a.q >= 1) {
    lower->standing = TWOFOLD_UNKNOWN;
    lower->missing = "the step is too long for the bound L: q is not below 1";
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Distances from w(lambda) of the K last iterates before w_t, by the norms of their steps, the inverse of I -
   d1Phi at most M; and the largest of them. */
static void GetDistances(const LLS lls, PetscInt K, PetscReal M, PetscReal q, PetscReal e[],
                         PetscReal *largest)
{
  PetscReal distance = 0;

  *largest = 0;
  for (PetscInt i = 0, first = lls->its - K; i < lls->its; i++) {
    distance = PetscMin(M * lls->kept.change[i], i ? q * distance : (PetscReal)INFINITY);
    if (i < first) continue;
    e[i - first] = distance;
    *largest = PetscMax(*largest, distance);
  }
}

/* The constants of the error and of the derivatives along the way: these on the ball that holds all iterates.
   Those of the loss are made the map's: M L_Phi does not depend on the step. */
static PetscErrorCode GetWayLipschitz(HG hg, Vec lambda, PetscReal largest, PetscReal step, Lower *lower)
{
  PetscFunctionBegin;
  PetscCall(GetLipschitz(hg, lambda, lower->e + largest, lower));
  const PetscReal nu1 = lower->a.nu1, nu2 = lower->a.nu2;
  PetscCall(GetLipschitz(hg, lambda, lower->e, lower));
  lower->a.nu1 = step * nu1;
  lower->a.nu2 = step * nu2;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGCertifySteps_Private(HG hg, Vec lambda, PetscInt K)
{
  Lower lower = {.standing = TWOFOLD_PROVED};
  PetscReal bound = NAN, largest, g1, *e;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(LLSGetFPM(hg->lls, &fpm));
  if (FPMFollows_Private(fpm)) {
    hg->report.bound = HGNoBound_Private(
        "the bound is for a step that is a constant: leave out -lls_fpm_differentiate_step");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  lower.map = fpm->uses_map;
  if (!lower.map && fpm->method != FPM_METHOD_GD) {
    hg->report.bound = HGNoBound_Private(
        "the lower level's map is a contraction in another norm only: -lls_fpm_type gd, or -hg_type aid");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  const PetscReal step = lower.map ? 1 : fpm->step;
  if (lower.map) {
    PetscCall(MeasureMap(hg, lambda, &lower));
  } else {
    PetscCall(MeasureLoss(hg, lambda, PETSC_FALSE, &lower));
    PetscCall(MeasureStep(hg, lambda, fpm, &lower));
  }
  PetscCall(PetscMalloc1(K + 1, &e));
  GetDistances(hg->lls, K, lower.a.M / step, lower.a.q, e, &largest);
  PetscCall(GetWayLipschitz(hg, lambda, largest, step, &lower));
  PetscCall(VecNorm(hg->g1, NORM_2, &g1));
  if (lower.standing) PetscCall(BoundCertificateITD(&lower.a, K, e, lower.e, g1, &bound));
  PetscCall(PetscFree(e));
  hg->report.bound = HGMakeBound_Private(bound, lower.standing, lower.missing);
  hg->report.bound.products = lower.products;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ after a solve */

PetscErrorCode HGComputeBound_Private(HG hg, Vec lambda)
{
  PetscFunctionBegin;
  if (!HGWantsBound_Private(hg)) PetscFunctionReturn(PETSC_SUCCESS);
  if (hg->report.reason <= HG_DIVERGED_NANORINF) {
    hg->report.bound = HGNoBound_Private("there is no hypergradient");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  hg->report.bound = HGNoBound_Private("this type of hypergradient has no certificate");
  PetscTryTypeMethod(hg, certify, lambda);
  PetscFunctionReturn(PETSC_SUCCESS);
}
