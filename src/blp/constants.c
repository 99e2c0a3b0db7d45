/* Constants of a problem: what its type knows, passed through the tie of lambda. */
#include <twofold/impl/blpimpl.h>

PetscErrorCode BLPGetStrongConvexity(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  Vec own;

  PetscFunctionBegin;
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  *mu = (TwofoldConstant){.value = NAN, .origin = "not given by the problem"};
  PetscTryTypeMethod(blp, strongconvexity, own, mu);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetSmoothness(BLP blp, Vec lambda, TwofoldConstant *L)
{
  Vec own;

  PetscFunctionBegin;
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  *L = (TwofoldConstant){.value = NAN, .origin = "not given by the problem"};
  PetscTryTypeMethod(blp, smoothness, own, L);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g = T^T of the gradient that an op gives in the problem's own lambda. */
static PetscErrorCode Gradient(BLP blp, PetscErrorCode (*op)(BLP, Vec, Vec), const char what[], Vec lambda,
                               Vec g)
{
  const Vec result = BLPTieOwn_Private(blp, g);
  Vec own;

  PetscFunctionBegin;
  PetscCheck(op, PetscObjectComm((PetscObject)blp), PETSC_ERR_SUP,
             "the %s problem does not give the gradient of %s(lambda)", ((PetscObject)blp)->type_name, what);
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscCall((*op)(blp, own, result));
  PetscCall(BLPTieResult_Private(blp, result, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetStrongConvexityGradient(BLP blp, Vec lambda, Vec g)
{
  PetscFunctionBegin;
  PetscCall(Gradient(blp, blp->ops->strongconvexitygradient, "mu", lambda, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetSmoothnessGradient(BLP blp, Vec lambda, Vec g)
{
  PetscFunctionBegin;
  PetscCall(Gradient(blp, blp->ops->smoothnessgradient, "L", lambda, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetContraction(BLP blp, Vec lambda, TwofoldConstant *q)
{
  Vec own;

  PetscFunctionBegin;
  *q = (TwofoldConstant){.value = NAN, .origin = "not given by the problem"};
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscTryTypeMethod(blp, contraction, own, q);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Multiply(TwofoldConstant *c, PetscReal factor)
{
  c->value *= factor;
  c->error *= factor;
}

/* Of the problem's own lambda: without the tie. */
static PetscErrorCode OwnLipschitz(BLP blp, PetscBool map, Vec own, Vec w, PetscReal radius, BLPLipschitz *c)
{
  const TwofoldConstant unknown = {.value = NAN, .error = NAN, .origin = "not given by the problem"};

  PetscFunctionBegin;
  *c = (BLPLipschitz){unknown, unknown, unknown, unknown, unknown};
  if (map)
    PetscTryTypeMethod(blp, maplipschitz, own, w, radius, c);
  else
    PetscTryTypeMethod(blp, losslipschitz, own, w, radius, c);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetLipschitz(BLP blp, PetscBool map, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  PetscReal norm;
  Vec own;

  PetscFunctionBegin;
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscCall(OwnLipschitz(blp, map, own, w, radius, c));
  PetscCall(BLPTieGetNorm_Private(blp, &norm));
  Multiply(&c->eta2, norm);
  Multiply(&c->nu2, norm);
  Multiply(&c->L_Phi, norm);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPGetLipschitzAlong(BLP blp, PetscBool map, Vec lambda, Vec w, PetscReal radius, Vec v,
                                    TwofoldConstant *nu1, TwofoldConstant *nu2)
{
  BLPLipschitz c;
  PetscReal norm;
  Vec own;

  PetscFunctionBegin;
  PetscCall(BLPTieLambda_Private(blp, lambda, &own));
  PetscCall(OwnLipschitz(blp, map, own, w, radius, &c));
  *nu1 = c.nu1;
  *nu2 = c.nu2;
  PetscCall(VecNorm(v, NORM_2, &norm));
  Multiply(nu1, norm);
  Multiply(nu2, norm);
  if (!map) PetscTryTypeMethod(blp, losslipschitzalong, own, w, radius, v, nu1, nu2);
  PetscCall(BLPTieGetNorm_Private(blp, &norm));
  Multiply(nu2, norm);
  PetscFunctionReturn(PETSC_SUCCESS);
}
