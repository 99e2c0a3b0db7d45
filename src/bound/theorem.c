/* The paper's bounds. With W = M L_Phi >= ||w'(lambda)||, M >= ||(I - d1Phi)^-1||, e_t = D q^t >= ||w_t -
   w(lambda)||:

     ITD   Delta_0 = W, Delta_{i+1} = q Delta_i + (nu2 + nu1 W) e_i  >=  ||w_{i+1}' - w'||
           ||grad f_t - grad f|| <= (eta2 + eta1 W) e_t + L_E Delta_t                                   (8)
     AID   ||v(w_t) - v|| <= M (eta1 + nu1 M L_E) e_t
           ||g - grad f|| <= (eta2 + nu2 M L_E) e_t + L_Phi (||v(w_t) - v|| + V sigma(k))              (13) */
#include <twofold/impl/boundimpl.h>
#include <twofold/impl/fpmimpl.h>

PetscErrorCode BoundFixedPointRate(PetscReal q, PetscInt t, PetscReal *rate)
{
  PetscFunctionBegin;
  PetscCheck(!(q < 0) && t >= 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "q = %g, t = %" PetscInt_FMT ": must not be negative", (double)q, t);
  *rate = PetscPowRealInt(q, t);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundCGRate(PetscReal kappa, PetscInt k, PetscReal *rate)
{
  PetscFunctionBegin;
  PetscCheck(!(kappa < 1), PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "kappa = %g: a condition number is 1 or more", (double)kappa);
  PetscCheck(k >= 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "%" PetscInt_FMT " steps: must not be negative", k);
  const PetscReal root = PetscSqrtReal(kappa);
  *rate = 2 * root * PetscPowRealInt((1 - 1 / root) / (1 + 1 / root), k);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundITD(const BoundNumbers *a, PetscInt t, PetscReal *bound)
{
  PetscFunctionBegin;
  PetscCheck(t >= 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "t = %" PetscInt_FMT ": must not be negative",
             t);
  *bound = (PetscReal)INFINITY;
  if (a->q >= 1 || PetscIsInfReal(a->M)) PetscFunctionReturn(PETSC_SUCCESS);
  const PetscReal W = a->M * a->L_Phi, qt = PetscPowRealInt(a->q, t);
  const PetscReal slow = t > 0 ? (PetscReal)t * PetscPowRealInt(a->q, t - 1) : 0; /* t/q q^t, also at q = 0 */
  *bound = ((a->eta2 + a->eta1 * W) * a->D + W * a->L_E) * qt + (a->nu2 + a->nu1 * W) * a->L_E * a->D * slow;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundAID(const BoundNumbers *a, PetscReal rho, PetscReal sigma, PetscReal *bound)
{
  PetscFunctionBegin;
  *bound = (PetscReal)INFINITY;
  if (PetscIsInfReal(a->M)) PetscFunctionReturn(PETSC_SUCCESS);
  const PetscReal v = a->M * a->L_E;
  *bound = (a->eta2 + a->nu2 * v + a->L_Phi * a->M * (a->eta1 + a->nu1 * v)) * a->D * rho +
           a->L_Phi * a->V * sigma;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the constants of a problem */

void BoundJoin_Private(PetscInt n, const BoundNeed need[], TwofoldStanding *standing, const char **missing)
{
  for (PetscInt i = 0; i < n; i++) {
    *standing = BoundTogether_Private(*standing, need[i].constant->standing);
    if (need[i].constant->standing == TWOFOLD_UNKNOWN && !*missing) *missing = need[i].missing;
  }
}

void BoundJoinLipschitz_Private(const BLPLipschitz *on, TwofoldStanding *standing, const char **missing)
{
  const BoundNeed need[] = {{&on->eta1, "eta1 is not given by the problem"},
                            {&on->eta2, "eta2 is not given by the problem"},
                            {&on->nu1, "nu1 is not given by the problem"},
                            {&on->nu2, "nu2 is not given by the problem"},
                            {&on->L_Phi, "L_Phi is not given by the problem"}};

  BoundJoin_Private(5, need, standing, missing);
}

void BoundSetLipschitz_Private(const BLPLipschitz *on, BoundNumbers *a)
{
  a->eta1 = BoundAtMost_Private(&on->eta1);
  a->eta2 = BoundAtMost_Private(&on->eta2);
  a->nu1 = BoundAtMost_Private(&on->nu1);
  a->nu2 = BoundAtMost_Private(&on->nu2);
  a->L_Phi = BoundAtMost_Private(&on->L_Phi);
}

static TwofoldConstant Unknown(const char why[])
{
  return (TwofoldConstant){.value = NAN, .error = NAN, .origin = why};
}

static TwofoldConstant Made(TwofoldStanding standing, PetscReal value, const char origin[])
{
  if (standing == TWOFOLD_UNKNOWN) return Unknown("made of a constant that is unknown");
  return (TwofoldConstant){.value = value, .standing = standing, .origin = origin};
}

static void Multiply(TwofoldConstant *c, PetscReal factor)
{
  c->value *= factor;
  c->error *= factor;
}

/* q, M and D of gradient descent; *r is the residual at w = 0. */
static PetscErrorCode CollectLoss(FPM fpm, Vec lambda, Vec w, BoundConstants *c)
{
  TwofoldConstant mu, L;
  PetscReal r;

  PetscFunctionBegin;
  PetscCall(BLPGetStrongConvexity(fpm->blp, lambda, &mu));
  PetscCall(BLPGetSmoothness(fpm->blp, lambda, &L));
  PetscCall(BoundSpectralRadius(fpm->method, fpm->step, 0, &mu, &L, &c->q));
  const PetscReal least = PetscMax(BoundAtLeast_Private(&mu), 0);
  PetscCall(BLPLossGradient(fpm->blp, lambda, w, NULL, fpm->work));
  PetscCall(VecNorm(fpm->work, NORM_2, &r));
  c->M = Made(mu.standing, 1 / (fpm->step * least), "1 / (alpha mu)");
  c->D = Made(mu.standing, least > 0 ? r / least : (PetscReal)INFINITY, "||grad l(0)|| / mu");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CollectMap(FPM fpm, Vec lambda, Vec w, BoundConstants *c)
{
  PetscReal r;

  PetscFunctionBegin;
  PetscCall(BLPGetContraction(fpm->blp, lambda, &c->q));
  PetscCall(BLPMapApply(fpm->blp, lambda, w, fpm->work));
  PetscCall(VecNorm(fpm->work, NORM_2, &r));
  const PetscReal q = BoundAtMost_Private(&c->q), M = q < 1 ? 1 / (1 - q) : (PetscReal)INFINITY;
  c->M = Made(c->q.standing, M, "1 / (1 - q)");
  c->D = Made(c->q.standing, r * M, "||Phi(0)|| / (1 - q)");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundCollect(FPM fpm, Vec lambda, BoundConstants *c)
{
  PetscReal E, g1;
  Vec w;

  PetscFunctionBegin;
  PetscCall(FPMPrepare(fpm, lambda));
  PetscCall(BLPCreateVecs(fpm->blp, NULL, &w));
  PetscCall(VecZeroEntries(w));
  if (fpm->method == FPM_METHOD_GD)
    PetscCall(CollectLoss(fpm, lambda, w, c));
  else if (fpm->uses_map)
    PetscCall(CollectMap(fpm, lambda, w, c));
  else
    c->q = c->M = c->D = Unknown("the map is a contraction in another norm only");
  const PetscReal radius = 2 * (c->D.standing ? c->D.value : (PetscReal)INFINITY);
  PetscCall(BLPGetLipschitz(fpm->blp, fpm->uses_map, lambda, w, radius, &c->on));
  if (!fpm->uses_map) { /* given at step 1 */
    Multiply(&c->on.nu1, fpm->step);
    Multiply(&c->on.nu2, fpm->step);
    Multiply(&c->on.L_Phi, fpm->step);
  }
  PetscCall(BLPUpper(fpm->blp, lambda, w, &E, fpm->work, NULL));
  PetscCall(VecNorm(fpm->work, NORM_2, &g1));
  const PetscReal eta1 = BoundAtMost_Private(&c->on.eta1);
  c->L_E = Made(BoundTogether_Private(c->D.standing, c->on.eta1.standing), eta1 > 0 ? g1 + eta1 * radius : g1,
                "||grad1 E(0)|| + 2 eta1 D");
  PetscCall(VecDestroy(&w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundGetNumbers(const BoundConstants *c, BoundNumbers *a, TwofoldStanding *standing,
                               const char **missing)
{
  const BoundNeed need[] = {{&c->q, "q is unknown: the map is a contraction in another norm only, or the "
                                    "problem does not give what it is made of"},
                            {&c->M, "mu, or q of the problem's own map, is not given by the problem"},
                            {&c->D, "a bound of ||w(lambda)|| is not known"}};
  const BoundNeed made = {&c->L_E, "a bound of ||grad1 E|| is not known"};

  PetscFunctionBegin;
  *standing = TWOFOLD_PROVED;
  *missing = NULL;
  BoundJoin_Private(3, need, standing, missing);
  BoundJoinLipschitz_Private(&c->on, standing, missing);
  BoundJoin_Private(1, &made, standing, missing);
  a->q = BoundAtMost_Private(&c->q);
  a->M = BoundAtMost_Private(&c->M);
  a->D = BoundAtMost_Private(&c->D);
  a->L_E = BoundAtMost_Private(&c->L_E);
  BoundSetLipschitz_Private(&c->on, a);
  a->V = a->M * a->L_E;
  PetscFunctionReturn(PETSC_SUCCESS);
}
