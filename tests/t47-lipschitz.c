/* The Lipschitz constants of every registered problem against the derivatives at pairs of points in their
   ball: differences of products along random directions, and along those that a power iteration finds the
   largest in. How far the constants are from what is found: -verbose. */
#include "problem.h"

typedef struct {
  BLP blp;
  PetscBool map, verbose;
  Vec lambda, w, other; /* the centre, another point of the ball */
  Vec v, y[2];          /* of w's space */
  Vec u[2];             /* of lambda's space */
  PetscReal distance;   /* ||other - w|| */
} Case;

typedef PetscErrorCode (*Product)(BLP, Vec, Vec);

static PetscErrorCode Linearize(Case *k, Vec w)
{
  PetscFunctionBegin;
  if (k->map)
    PetscCall(BLPMapLinearize(k->blp, k->lambda, w));
  else
    PetscCall(BLPLossLinearize(k->blp, k->lambda, w));
  PetscFunctionReturn(0);
}

/* y[0] <- A(other) x - A(w) x, and the norm that its rounding is measured by. */
static PetscErrorCode Difference(Case *k, Product product, Vec x, Vec y[2], PetscReal *scale)
{
  PetscFunctionBegin;
  PetscCall(Linearize(k, k->w));
  PetscCall((*product)(k->blp, x, y[1]));
  PetscCall(VecNorm(y[1], NORM_2, scale));
  PetscCall(Linearize(k, k->other));
  PetscCall((*product)(k->blp, x, y[0]));
  PetscCall(VecAXPY(y[0], -1, y[1]));
  PetscFunctionReturn(0);
}

/* found <= constant, but for rounding of what it is a difference of. */
static PetscErrorCode Holds(Case *k, const char name[], const TwofoldConstant *c, PetscReal found,
                            PetscReal scale)
{
  BLPType type;

  PetscFunctionBegin;
  if (!c->standing) PetscFunctionReturn(0);
  PetscCall(PetscObjectGetType((PetscObject)k->blp, &type));
  const PetscReal rounding = 1e-13 * scale / k->distance;
  CHECK(found <= c->value * (1 + 1e-12) + rounding, "%s%s: %s is %g (%s), but %g was found", type,
        k->map ? " (map)" : "", name, c->value, c->origin, found);
  if (k->verbose)
    PetscCall(PetscPrintf(TEST_COMM, "%-10s %-5s %10.3e, found %10.3e: %s\n", type, name, (double)c->value,
                          (double)found, c->origin));
  PetscFunctionReturn(0);
}

/* Of grad1 E and grad2 E. */
static PetscErrorCode Upper(Case *k, const BLPLipschitz *c)
{
  PetscReal E, change[2], scale[2];

  PetscFunctionBegin;
  PetscCall(BLPUpper(k->blp, k->lambda, k->w, &E, k->y[0], k->u[0]));
  PetscCall(BLPUpper(k->blp, k->lambda, k->other, &E, k->y[1], k->u[1]));
  PetscCall(VecNorm(k->y[0], NORM_2, &scale[0]));
  PetscCall(VecNorm(k->u[0], NORM_2, &scale[1]));
  PetscCall(VecAXPY(k->y[0], -1, k->y[1]));
  PetscCall(VecAXPY(k->u[0], -1, k->u[1]));
  PetscCall(VecNorm(k->y[0], NORM_2, &change[0]));
  PetscCall(VecNorm(k->u[0], NORM_2, &change[1]));
  PetscCall(Holds(k, "eta1", &c->eta1, change[0] / k->distance, scale[0]));
  PetscCall(Holds(k, "eta2", &c->eta2, change[1] / k->distance, scale[1]));
  PetscFunctionReturn(0);
}

/* Of the derivative's transposed products, along v: first as it comes, then as the power iteration leaves it.
 */
static PetscErrorCode InW(Case *k, const BLPLipschitz *c, PetscReal radius)
{
  const Product transposed = k->map ? BLPMapVJP : BLPLossHessianMult;
  const Product plain = k->map ? BLPMapJVP : BLPLossHessianMult;
  TwofoldConstant nu1, nu2;
  PetscReal found, norm, scale;

  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(k->v, 5));
  for (int i = 0; i < 12; i++) {
    PetscCall(VecNormalize(k->v, NULL));
    PetscCall(Difference(k, transposed, k->v, k->y, &scale));
    PetscCall(VecNorm(k->y[0], NORM_2, &found));
    if (i == 0 || i == 11) {
      PetscCall(Holds(k, "nu1", &c->nu1, found / k->distance, scale));
      PetscCall(BLPGetLipschitzAlong(k->blp, k->map, k->lambda, k->w, radius, k->v, &nu1, &nu2));
      PetscCall(Holds(k, "nu1 v", &nu1, found / k->distance, scale));
      CHECK(nu1.standing == c->nu1.standing && nu1.value <= c->nu1.value * (1 + 1e-12),
            "nu1 along v is %g, and everywhere %g", nu1.value, c->nu1.value);
    }
    PetscCall(VecCopy(k->y[0], k->v));
    PetscCall(Difference(k, plain, k->v, k->y, &scale));
    PetscCall(VecNorm(k->y[0], NORM_2, &norm));
    if (norm == 0) break;
    PetscCall(VecCopy(k->y[0], k->v));
  }
  PetscFunctionReturn(0);
}

/* Likewise of those in lambda; and their own largest norm at the other point. */
static PetscErrorCode InLambda(Case *k, const BLPLipschitz *c, PetscReal radius)
{
  const Product transposed = k->map ? BLPMapParameterVJP : BLPLossCrossMultTranspose;
  const Product plain = k->map ? BLPMapParameterJVP : BLPLossCrossMult;
  TwofoldConstant nu1, nu2;
  PetscReal found, norm, scale;

  PetscFunctionBegin;
  for (int whole = 0; whole < 2; whole++) {
    PetscCall(TwofoldVecSetRandomNormal(k->v, 6));
    for (int i = 0; i < 12; i++) {
      PetscCall(VecNormalize(k->v, NULL));
      PetscCall(Difference(k, transposed, k->v, k->u, &scale));
      if (whole) PetscCall((*transposed)(k->blp, k->v, k->u[0])); /* at the other point */
      PetscCall(VecNorm(k->u[0], NORM_2, &found));
      if (whole) PetscCall(Holds(k, "L_Phi", &c->L_Phi, found, scale * k->distance));
      if (!whole && (i == 0 || i == 11)) {
        PetscCall(Holds(k, "nu2", &c->nu2, found / k->distance, scale));
        PetscCall(BLPGetLipschitzAlong(k->blp, k->map, k->lambda, k->w, radius, k->v, &nu1, &nu2));
        PetscCall(Holds(k, "nu2 v", &nu2, found / k->distance, scale));
        CHECK(nu2.standing == c->nu2.standing && nu2.value <= c->nu2.value * (1 + 1e-12),
              "nu2 along v is %g, and everywhere %g", nu2.value, c->nu2.value);
      }
      if (found == 0) break;
      if (whole)
        PetscCall((*plain)(k->blp, k->u[0], k->y[0]));
      else
        PetscCall(Difference(k, plain, k->u[0], k->y, &scale));
      PetscCall(VecNorm(k->y[0], NORM_2, &norm));
      if (norm == 0) break;
      PetscCall(VecCopy(k->y[0], k->v));
    }
  }
  PetscFunctionReturn(0);
}

/* The constants on a ball, against a point within it. */
static PetscErrorCode Ball(Case *k, PetscReal radius, PetscInt64 seed)
{
  BLPLipschitz c;

  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(k->w, seed));
  PetscCall(VecScale(k->w, 0.5));
  PetscCall(TwofoldVecSetRandomNormal(k->other, seed + 1));
  PetscCall(VecNormalize(k->other, NULL));
  k->distance = 0.99 * radius;
  PetscCall(VecAYPX(k->other, k->distance, k->w));
  PetscCall(BLPGetLipschitz(k->blp, k->map, k->lambda, k->w, radius, &c));
  CHECK(c.eta1.standing && c.eta2.standing && c.nu1.standing && c.nu2.standing && c.L_Phi.standing,
        "a constant is unknown");
  PetscCall(Upper(k, &c));
  PetscCall(InW(k, &c, radius));
  PetscCall(InLambda(k, &c, radius));
  PetscFunctionReturn(0);
}

static PetscErrorCode OneProblem(BLPType type, const Synthetic *s, PetscBool verbose)
{
  const PetscReal radius[] = {0.01, 0.5, 20};
  Case k = {.map = s->map, .verbose = verbose};

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k.blp));
  PetscCall(BLPCreateVecs(k.blp, &k.lambda, &k.w));
  PetscCall(VecDuplicate(k.w, &k.other));
  PetscCall(VecDuplicate(k.w, &k.v));
  PetscCall(SyntheticLambda(k.blp, s, 7, 0.5, 1, k.lambda));
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDuplicate(k.w, &k.y[i]));
    PetscCall(VecDuplicate(k.lambda, &k.u[i]));
  }
  for (int i = 0; i < 3; i++) PetscCall(Ball(&k, radius[i], 20 + 2 * i));
  for (int i = 0; i < 2; i++) {
    PetscCall(VecDestroy(&k.y[i]));
    PetscCall(VecDestroy(&k.u[i]));
  }
  PetscCall(VecDestroy(&k.lambda));
  PetscCall(VecDestroy(&k.w));
  PetscCall(VecDestroy(&k.other));
  PetscCall(VecDestroy(&k.v));
  PetscCall(BLPDestroy(&k.blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode AllProblems(PetscBool verbose)
{
  const char **types;
  PetscInt ntypes;

  PetscFunctionBegin;
  PetscCall(BLPGetRegistered(&ntypes, &types));
  for (PetscInt i = 0; i < ntypes; i++) {
    const SyntheticType own = SyntheticGetType(types[i]);
    for (int kind = 0; kind < 2; kind++) {
      Synthetic s = {.n = {14, 9, 0}, .p = 5, .c = 3, .density = 0.8, .seed = 11};
      if (kind ? !own.has_map && own.without_ties : own.only_map) continue;
      s.map = (PetscBool)(own.has_map && kind == 1);
      if (!own.has_map && kind) s.tie = BLP_TIE_SCALAR;
      s = SyntheticSpec(types[i], &s);
      PetscCall(OneProblem(types[i], &s, verbose));
    }
  }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscBool verbose = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-verbose", &verbose));
  PetscCall(AllProblems(verbose));
  PetscCall(TestFinalize());
  return 0;
}
