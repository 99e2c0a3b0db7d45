/*
  user: a problem by callbacks of a C program. E(w, lambda) with its gradients, and the lower level

    as a loss   grad_w l, grad^2_ww l v, (d/dlambda grad_w l) u, (d/dlambda grad_w l)^T v     BLPUserSetLoss()
    as a map    Phi, d1Phi v, d1Phi^T v, d2Phi u, d2Phi^T v                                   BLPUserSetMap()

  An op of the problem is there exactly where its callback is, so that what is missing is named by whoever
  needs it. Products get the point they were linearised at.
*/
#include <twofold/blpuser.h>
#include <twofold/impl/blpimpl.h>

enum { MU, SMOOTHNESS, CONTRACTION, nconstants };

typedef struct {
  Vec lambda, w; /* templates */
  PetscInt nlambda[2], nw[2];
  PetscBool sized;
  void *ctx;
  PetscErrorCode (*destroyctx)(void *);
  BLPUserUpperFn upper;
  BLPUserGradientFn gradient;
  BLPUserProductFn hessian, cross, crosstranspose;
  BLPUserDiagonalFn diagonal;
  BLPUserMapFn apply;
  BLPUserProductFn jvp, vjp, parameterjvp, parametervjp;
  BLPUserLinearizeFn linearize, maplinearize;
  BLPUserConstantFn constant[nconstants];
  PetscReal number[nconstants]; /* NaN: not given */
  BLPUserConstantGradientFn gradientof[nconstants];
  BLPUserLipschitzFn lipschitz, maplipschitz;
  BLPUserEvaluateFn evaluate;
} User;

static PetscErrorCode GetUser(BLP blp, const char function[], User **user)
{
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)blp, BLPUSER, &same));
  PetscCheck(same, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_WRONG,
             "%s is for problem type user, this one is %s: BLPSetType(blp, BLPUSER) first", function,
             ((PetscObject)blp)->type_name ? ((PetscObject)blp)->type_name : "untyped");
  *user = (User *)blp->data;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

static PetscErrorCode BLPUpper_User(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  if (g1) PetscCall(VecZeroEntries(g1));
  if (g2) PetscCall(VecZeroEntries(g2));
  PetscCallBack("upper level", (*user->upper)(blp, lambda, w, E, g1, g2, user->ctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* l is NaN where the callback leaves it alone. */
static PetscErrorCode BLPLossGradient_User(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  const PetscReal untouched = PETSC_MIN_REAL;
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  if (l) *l = untouched;
  PetscCallBack("gradient of the loss", (*user->gradient)(blp, lambda, w, l, g, user->ctx));
  if (l && *l == untouched) {
    blp->no_value = PETSC_TRUE;
    *l = NAN;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLinearize_User(BLP blp, Vec lambda, Vec w)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  if (user->linearize) PetscCallBack("linearize", (*user->linearize)(blp, lambda, w, user->ctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapLinearize_User(BLP blp, Vec lambda, Vec w)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  if (user->maplinearize)
    PetscCallBack("linearize of the map", (*user->maplinearize)(blp, lambda, w, user->ctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapApply_User(BLP blp, Vec lambda, Vec w, Vec y)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  PetscCallBack("map", (*user->apply)(blp, lambda, w, y, user->ctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = A v with the callback of one of the products, at the point of the loss or of the map. */
static PetscErrorCode Product(BLP blp, const Vec point[2], BLPUserProductFn product, const char what[], Vec v,
                              Vec y)
{
  PetscFunctionBegin;
  (void)what; /* PETSc builds that keep no stack drop it */
  PetscCallBack(what, (*product)(blp, point[0], point[1], v, y, ((User *)blp->data)->ctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossHessian_User(BLP blp, Vec v, Vec y)
{
  return Product(blp, blp->point, ((User *)blp->data)->hessian, "Hessian product", v, y);
}

static PetscErrorCode BLPLossHessianDiagonal_User(BLP blp, Vec d)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  PetscCallBack("diagonal of the Hessian",
                (*user->diagonal)(blp, blp->point[0], blp->point[1], d, user->ctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_User(BLP blp, Vec u, Vec y)
{
  return Product(blp, blp->point, ((User *)blp->data)->cross, "cross product", u, y);
}

static PetscErrorCode BLPLossCrossTranspose_User(BLP blp, Vec v, Vec g)
{
  return Product(blp, blp->point, ((User *)blp->data)->crosstranspose, "cross product transposed", v, g);
}

static PetscErrorCode BLPMapJVP_User(BLP blp, Vec v, Vec y)
{
  return Product(blp, blp->map_point, ((User *)blp->data)->jvp, "jvp of the map", v, y);
}

static PetscErrorCode BLPMapVJP_User(BLP blp, Vec v, Vec y)
{
  return Product(blp, blp->map_point, ((User *)blp->data)->vjp, "vjp of the map", v, y);
}

static PetscErrorCode BLPMapParameterJVP_User(BLP blp, Vec u, Vec y)
{
  return Product(blp, blp->map_point, ((User *)blp->data)->parameterjvp, "parameter jvp of the map", u, y);
}

static PetscErrorCode BLPMapParameterVJP_User(BLP blp, Vec v, Vec g)
{
  return Product(blp, blp->map_point, ((User *)blp->data)->parametervjp, "parameter vjp of the map", v, g);
}

static PetscErrorCode Constant(BLP blp, int which, Vec lambda, TwofoldConstant *constant)
{
  static const char *const names[nconstants] = {"mu", "L", "q"};
  User *user = (User *)blp->data;
  PetscReal value = user->number[which];

  PetscFunctionBegin;
  if (user->constant[which])
    PetscCallBack("constant", (*user->constant[which])(blp, lambda, &value, user->ctx));
  if (PetscIsNanReal(value)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(value >= 0, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_OUTOFRANGE,
             "the user problem's %s is %g: it must not be negative", names[which], (double)value);
  constant->value = value;
  constant->standing = TWOFOLD_USER;
  constant->origin = "given by the caller";
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPStrongConvexity_User(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  return Constant(blp, MU, lambda, mu);
}

static PetscErrorCode BLPSmoothness_User(BLP blp, Vec lambda, TwofoldConstant *L)
{
  return Constant(blp, SMOOTHNESS, lambda, L);
}

static PetscErrorCode BLPContraction_User(BLP blp, Vec lambda, TwofoldConstant *q)
{
  return Constant(blp, CONTRACTION, lambda, q);
}

/* A number does not depend on lambda. */
static PetscErrorCode ConstantGradient(BLP blp, int which, Vec lambda, Vec g)
{
  const User *const user = (User *)blp->data;

  PetscFunctionBegin;
  PetscCheck(user->gradientof[which] || !user->constant[which], PetscObjectComm((PetscObject)blp),
             PETSC_ERR_SUP,
             "the user problem does not give the gradient of %s(lambda): BLPUserSetConstantGradients()",
             which == MU ? "mu" : "L");
  if (user->gradientof[which])
    PetscCallBack("gradient of a constant", (*user->gradientof[which])(blp, lambda, g, user->ctx));
  else
    PetscCall(VecZeroEntries(g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPStrongConvexityGradient_User(BLP blp, Vec lambda, Vec g)
{
  return ConstantGradient(blp, MU, lambda, g);
}

static PetscErrorCode BLPSmoothnessGradient_User(BLP blp, Vec lambda, Vec g)
{
  return ConstantGradient(blp, SMOOTHNESS, lambda, g);
}

/* A number of the caller's becomes a constant; NaN leaves it unknown. */
static PetscErrorCode SetLipschitz(BLP blp, const char name[], PetscReal value, TwofoldConstant *c)
{
  PetscFunctionBegin;
  if (PetscIsNanReal(value)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(value >= 0, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_OUTOFRANGE,
             "the user problem's %s is %g: it must not be negative", name, (double)value);
  *c = (TwofoldConstant){.value = value, .standing = TWOFOLD_USER, .origin = "given by the caller"};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Lipschitz(BLP blp, BLPUserLipschitzFn fn, Vec lambda, Vec w, PetscReal radius,
                                BLPLipschitz *c)
{
  BLPUserLipschitz given = {NAN, NAN, NAN, NAN, NAN};

  PetscFunctionBegin;
  PetscCallBack("Lipschitz constants", (*fn)(blp, lambda, w, radius, &given, ((User *)blp->data)->ctx));
  PetscCall(SetLipschitz(blp, "eta1", given.eta1, &c->eta1));
  PetscCall(SetLipschitz(blp, "eta2", given.eta2, &c->eta2));
  PetscCall(SetLipschitz(blp, "nu1", given.nu1, &c->nu1));
  PetscCall(SetLipschitz(blp, "nu2", given.nu2, &c->nu2));
  PetscCall(SetLipschitz(blp, "L_Phi", given.L_Phi, &c->L_Phi));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossLipschitz_User(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  return Lipschitz(blp, ((User *)blp->data)->lipschitz, lambda, w, radius, c);
}

static PetscErrorCode BLPMapLipschitz_User(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  return Lipschitz(blp, ((User *)blp->data)->maplipschitz, lambda, w, radius, c);
}

static PetscErrorCode BLPEvaluate_User(BLP blp, BLPSet set, Vec lambda, Vec w, BLPMetrics *metrics)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  PetscCallBack("evaluate", (*user->evaluate)(blp, set, lambda, w, metrics, user->ctx));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what the caller gives */

PetscErrorCode BLPUserSetVecs(BLP blp, Vec lambda, Vec w)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetVecs()", &user));
  PetscCall(PetscObjectReference((PetscObject)lambda));
  PetscCall(PetscObjectReference((PetscObject)w));
  PetscCall(VecDestroy(&user->lambda));
  PetscCall(VecDestroy(&user->w));
  user->lambda = lambda;
  user->w = w;
  user->sized = PETSC_FALSE;
  blp->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetSizes(BLP blp, PetscInt nlambda_local, PetscInt nlambda, PetscInt nw_local,
                               PetscInt nw)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetSizes()", &user));
  PetscCall(VecDestroy(&user->lambda));
  PetscCall(VecDestroy(&user->w));
  user->nlambda[0] = nlambda_local;
  user->nlambda[1] = nlambda;
  user->nw[0] = nw_local;
  user->nw[1] = nw;
  user->sized = PETSC_TRUE;
  blp->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyContext(User *user)
{
  PetscFunctionBegin;
  if (user->destroyctx) PetscCallBack("destroy of the context", (*user->destroyctx)(user->ctx));
  user->destroyctx = NULL;
  user->ctx = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetContext(BLP blp, void *ctx, PetscErrorCode (*destroy)(void *ctx))
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetContext()", &user));
  if (ctx != user->ctx) PetscCall(DestroyContext(user));
  user->ctx = ctx;
  user->destroyctx = destroy;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserGetContext(BLP blp, void *ctx)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserGetContext()", &user));
  *(void **)ctx = user->ctx;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetUpper(BLP blp, BLPUserUpperFn upper)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetUpper()", &user));
  user->upper = upper;
  blp->ops->upper = upper ? BLPUpper_User : NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetLoss(BLP blp, BLPUserGradientFn gradient, BLPUserProductFn hessian,
                              BLPUserProductFn cross, BLPUserProductFn crosstranspose)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetLoss()", &user));
  user->gradient = gradient;
  user->hessian = hessian;
  user->cross = cross;
  user->crosstranspose = crosstranspose;
  blp->ops->lossgradient = gradient ? BLPLossGradient_User : NULL;
  blp->ops->losslinearize = gradient ? BLPLossLinearize_User : NULL;
  blp->ops->losshessian = hessian ? BLPLossHessian_User : NULL;
  blp->ops->losscross = cross ? BLPLossCross_User : NULL;
  blp->ops->losscrosstranspose = crosstranspose ? BLPLossCrossTranspose_User : NULL;
  blp->linearized = blp->no_value = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetLossDiagonal(BLP blp, BLPUserDiagonalFn diagonal)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetLossDiagonal()", &user));
  user->diagonal = diagonal;
  blp->ops->losshessiandiagonal = diagonal ? BLPLossHessianDiagonal_User : NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetMap(BLP blp, BLPUserMapFn apply, BLPUserProductFn jvp, BLPUserProductFn vjp,
                             BLPUserProductFn parameterjvp, BLPUserProductFn parametervjp,
                             PetscBool symmetric)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetMap()", &user));
  user->apply = apply;
  user->jvp = jvp || !symmetric ? jvp : vjp;
  user->vjp = vjp || !symmetric ? vjp : jvp;
  user->parameterjvp = parameterjvp;
  user->parametervjp = parametervjp;
  blp->map_symmetric = symmetric;
  blp->ops->mapapply = apply ? BLPMapApply_User : NULL;
  blp->ops->maplinearize = apply ? BLPMapLinearize_User : NULL;
  blp->ops->mapjvp = user->jvp ? BLPMapJVP_User : NULL;
  blp->ops->mapvjp = user->vjp ? BLPMapVJP_User : NULL;
  blp->ops->mapparameterjvp = parameterjvp ? BLPMapParameterJVP_User : NULL;
  blp->ops->mapparametervjp = parametervjp ? BLPMapParameterVJP_User : NULL;
  blp->map_linearized = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetLinearize(BLP blp, BLPUserLinearizeFn loss, BLPUserLinearizeFn map)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetLinearize()", &user));
  user->linearize = loss;
  user->maplinearize = map;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetConstants(BLP blp, PetscReal mu, PetscReal L, PetscReal q)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  const PetscReal unknown = (PetscReal)PETSC_DEFAULT;
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetConstants()", &user));
  PetscCheck(mu == unknown || (mu >= 0 && !PetscIsInfReal(mu)), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "mu = %g must be finite and not negative (PETSC_DEFAULT where it is not known)", (double)mu);
  PetscCheck(L == unknown || (L > 0 && !PetscIsInfReal(L) && (mu == unknown || L >= mu)), comm,
             PETSC_ERR_ARG_OUTOFRANGE, "L = %g must be positive, finite and at least mu = %g", (double)L,
             (double)mu);
  PetscCheck(q == unknown || (q >= 0 && !PetscIsInfReal(q)), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "q = %g must be finite and not negative (PETSC_DEFAULT where it is not known)", (double)q);
  user->number[MU] = mu == unknown ? NAN : mu;
  user->number[SMOOTHNESS] = L == unknown ? NAN : L;
  user->number[CONTRACTION] = q == unknown ? NAN : q;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetConstantFunctions(BLP blp, BLPUserConstantFn mu, BLPUserConstantFn L,
                                           BLPUserConstantFn q)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetConstantFunctions()", &user));
  user->constant[MU] = mu;
  user->constant[SMOOTHNESS] = L;
  user->constant[CONTRACTION] = q;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetConstantGradients(BLP blp, BLPUserConstantGradientFn mu, BLPUserConstantGradientFn L)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetConstantGradients()", &user));
  user->gradientof[MU] = mu;
  user->gradientof[SMOOTHNESS] = L;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetLipschitz(BLP blp, BLPUserLipschitzFn loss, BLPUserLipschitzFn map)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetLipschitz()", &user));
  user->lipschitz = loss;
  user->maplipschitz = map;
  blp->ops->losslipschitz = loss ? BLPLossLipschitz_User : NULL;
  blp->ops->maplipschitz = map ? BLPMapLipschitz_User : NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPUserSetEvaluate(BLP blp, BLPUserEvaluateFn evaluate, PetscBool train, PetscBool val,
                                  PetscBool test)
{
  User *user = NULL;

  PetscFunctionBegin;
  PetscCall(GetUser(blp, "BLPUserSetEvaluate()", &user));
  user->evaluate = evaluate;
  blp->ops->evaluate = evaluate ? BLPEvaluate_User : NULL;
  blp->has[BLP_TRAIN] = (PetscBool)(evaluate && train);
  blp->has[BLP_VAL] = (PetscBool)(evaluate && val);
  blp->has[BLP_TEST] = (PetscBool)(evaluate && test);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

static PetscErrorCode CreateTemplate(BLP blp, const PetscInt n[2], Vec *template)
{
  PetscFunctionBegin;
  PetscCall(VecCreate(PetscObjectComm((PetscObject)blp), template));
  PetscCall(VecSetSizes(*template, n[0], n[1]));
  PetscCall(VecSetFromOptions(*template));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetUp_User(BLP blp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  PetscCheck(user->lambda || user->sized, comm, PETSC_ERR_ARG_WRONGSTATE,
             "the user problem has no sizes: BLPUserSetVecs() or BLPUserSetSizes()");
  PetscCheck(user->upper, comm, PETSC_ERR_ARG_WRONGSTATE,
             "the user problem has no upper level E: BLPUserSetUpper()");
  PetscCheck(user->gradient || user->apply, comm, PETSC_ERR_ARG_WRONGSTATE,
             "the user problem has no lower level: BLPUserSetLoss() or BLPUserSetMap()");
  if (!user->lambda) {
    PetscCall(CreateTemplate(blp, user->nlambda, &user->lambda));
    PetscCall(CreateTemplate(blp, user->nw, &user->w));
  }
  PetscCall(VecGetSize(user->lambda, &blp->nlambda));
  PetscCall(VecGetSize(user->w, &blp->nw));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPCreateVecs_User(BLP blp, Vec *lambda, Vec *w)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(user->lambda, lambda));
  if (w) PetscCall(VecDuplicate(user->w, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_User(BLP blp, PetscViewer viewer)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "by callbacks: lambda %" PetscInt_FMT ", w %" PetscInt_FMT ", lower level as %s%s\n",
      blp->nlambda, blp->nw,
      user->gradient && user->apply ? "a loss and a map" : (user->gradient ? "a loss" : "a map"),
      user->apply && blp->map_symmetric ? ", d1Phi symmetric" : ""));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_User(BLP blp)
{
  User *user = (User *)blp->data;

  PetscFunctionBegin;
  PetscCall(DestroyContext(user));
  PetscCall(VecDestroy(&user->lambda));
  PetscCall(VecDestroy(&user->w));
  PetscCall(PetscFree(blp->data));
  blp->by_callbacks = blp->map_symmetric = blp->no_value = PETSC_FALSE;
  for (int s = 0; s < 3; s++) blp->has[s] = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_User(BLP blp)
{
  User *user;

  PetscFunctionBegin;
  PetscCall(PetscNew(&user));
  for (int i = 0; i < nconstants; i++) user->number[i] = NAN;
  blp->data = user;
  blp->needs_samples = PETSC_FALSE;
  blp->by_callbacks = PETSC_TRUE;
  blp->ops->setup = BLPSetUp_User;
  blp->ops->view = BLPView_User;
  blp->ops->destroy = BLPDestroy_User;
  blp->ops->createvecs = BLPCreateVecs_User;
  blp->ops->strongconvexity = BLPStrongConvexity_User;
  blp->ops->smoothness = BLPSmoothness_User;
  blp->ops->strongconvexitygradient = BLPStrongConvexityGradient_User;
  blp->ops->smoothnessgradient = BLPSmoothnessGradient_User;
  blp->ops->contraction = BLPContraction_User;
  PetscFunctionReturn(PETSC_SUCCESS);
}
