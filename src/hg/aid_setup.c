/* Set-up and options of aid (see aid.c): the choice of the KSP, of its preconditioner and of when it ends. */
#include "aid.h"

/* ------------------------------------------------------------------ the KSP */

/* Conjugate gradients where d1Phi is symmetric, by sweeps where the problem has them and nobody asks for what
   they have not; else gmres. */
static PetscErrorCode ChooseKSP(HG hg, KSPType *type)
{
  AID *aid = (AID *)hg->data;
  PetscBool symmetric, none, bare, sweeps = PETSC_FALSE;
  FPMMethod method;
  PC pc;

  PetscFunctionBegin;
  PetscCall(KSPGetPC(aid->ksp, &pc));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCNONE, &bare));
  PetscCall(FPMIsSymmetric(aid->fpm, &symmetric));
  PetscCall(FPMGetMethod(aid->fpm, &method));
  PetscCall(PrecondIsNone_Private(aid->own, &none));
  if (hg->blp && method == FPM_METHOD_GD && none && bare && !aid->lanczos)
    PetscCall(BLPPrefersSweep(hg->blp, &sweeps));
  *type = sweeps ? KSPSWEEPCG : symmetric ? KSPCG : KSPGMRES;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The KSP's type, unless the caller or an option chose one. */
static PetscErrorCode SetDefaultKSP(HG hg)
{
  AID *aid = (AID *)hg->data;
  PetscBool same;
  KSPType type;

  PetscFunctionBegin;
  PetscCall(KSPGetType(aid->ksp, &type));
  PetscCall(PetscStrcmp(type, aid->standard, &same)); /* two NULLs are the same */
  if (!same) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ChooseKSP(hg, &aid->standard));
  PetscCall(KSPSetType(aid->ksp, aid->standard));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* H's preconditioner is one of a H, so the map must be gd. Newton's and this one's are one object where they
   are set alike. */
static PetscErrorCode SetPreconditioner(HG hg)
{
  AID *aid = (AID *)hg->data;
  PetscBool none, like;
  FPMMethod method;
  FPMType map;
  Precond lower;

  PetscFunctionBegin;
  PetscCall(FPMGetMethod(aid->fpm, &method));
  PetscCall(FPMGetType(aid->fpm, &map));
  PetscCall(PrecondIsNone_Private(aid->own, &none));
  PetscCheck(
      none || method == FPM_METHOD_GD, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
      "-%shg_precond %s is one of the Hessian, and I - d1Phi is a multiple of that for the map gd only: "
      "use -%shg_fpm_type gd instead of %s",
      HGPrefix_Private(hg), ((PetscObject)aid->own)->type_name, HGPrefix_Private(hg), map);
  PetscCall(PrecondSetBLP(aid->own, hg->blp));
  PetscCall(LLSGetPrecond(hg->lls, &lower));
  like = PETSC_FALSE;
  if (lower && !none) PetscCall(PrecondIsLike_Private(lower, aid->own, &like));
  PetscCall(PetscObjectReference(like ? (PetscObject)lower : (PetscObject)aid->own));
  PetscCall(PrecondDestroy(&aid->precond));
  aid->precond = like ? lower : aid->own;
  PetscCall(PrecondSetKSP(aid->precond, aid->ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* No test, but for one end. A residual by recursion falls on long after the true one has stopped, until its
   square underflows and a step divides 0 by 0 (fcg); at 1e-60 of the right-hand side a step changes no bit of
   v. chebyshev, whose residual is the true one, has its own end. */
static PetscErrorCode StepsOnly(KSP ksp, PetscInt it, PetscReal rnorm, KSPConvergedReason *reason, void *ctx)
{
  const AID *aid = (const AID *)ctx;
  KSPNormType norm;

  PetscFunctionBegin;
  PetscCall(KSPConvergedSkip(ksp, it, rnorm, reason, NULL));
  PetscCall(KSPGetNormType(ksp, &norm));
  if (norm != KSP_NORM_NONE && it > 0 && rnorm < 1e-60 * aid->bnorm) *reason = KSP_CONVERGED_ITS;
  if (it >= aid->chebyshev.last) *reason = KSP_CONVERGED_ITS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* With -hg_ksp_rtol 0 (and no tolerance of another kind) exactly k steps are made: a KSP left alone would
 * call that divergence. */
static PetscErrorCode SetConvergenceTest(AID *aid, PetscBool tolerance)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)aid->ksp);
  PetscReal rtol, atol;
  PetscInt max_it;
  PetscBool own;

  PetscFunctionBegin;
  PetscCall(KSPGetTolerances(aid->ksp, &rtol, &atol, NULL, &max_it)); /* which PETSc takes as they come */
  PetscCheck(rtol >= 0 && rtol < 1, comm, PETSC_ERR_ARG_OUTOFRANGE, "-hg_ksp_rtol %g: must be in [0, 1)",
             (double)rtol);
  PetscCheck(atol >= 0, comm, PETSC_ERR_ARG_OUTOFRANGE, "-hg_ksp_atol %g: must not be negative",
             (double)atol);
  PetscCheck(max_it >= 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-hg_ksp_max_it %" PetscInt_FMT ": must not be negative", max_it);
  const PetscBool fixed = (PetscBool)(rtol == 0 && atol <= 1e-50 && !tolerance);
  if (fixed) {
    PetscCall(KSPSetConvergenceTest(aid->ksp, StepsOnly, aid, NULL));
  } else if (aid->fixed) {
    void *ctx;
    PetscCall(KSPConvergedDefaultCreate(&ctx));
    PetscCall(KSPSetConvergenceTest(aid->ksp, KSPConvergedDefault, ctx, KSPConvergedDefaultDestroy));
  }
  aid->fixed = fixed;
  PetscCall(PetscObjectTypeCompareAny((PetscObject)aid->ksp, &own, KSPFIXEDPOINT, KSPCGNR, ""));
  if (own) PetscCall(KSPSetNormType(aid->ksp, fixed ? KSP_NORM_NONE : KSP_NORM_UNPRECONDITIONED));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGAIDReset_Private(HG hg)
{
  AID *aid = (AID *)hg->data;

  PetscFunctionBegin;
  PetscCall(HGAIDLiftAdjoint_Private(hg));
  PetscCall(StateDestroy(&aid->vview));
  PetscCall(MatDestroy(&aid->A));
  PetscCall(VecDestroy(&aid->b));
  PetscCall(VecDestroy(&aid->r));
  PetscCall(VecDestroy(&aid->dv));
  PetscCall(VecDestroy(&aid->v));
  PetscCall(StateDestroy(&aid->accepted));
  PetscCall(StateDestroy(&aid->in));
  PetscCall(StateDestroy(&aid->out));
  aid->warmed = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetUp_AID(HG hg)
{
  AID *aid = (AID *)hg->data;
  State like;
  Vec lambda, lower, upper;

  PetscFunctionBegin;
  PetscCall(HGAIDReset_Private(hg));
  PetscCall(FPMSetBLP(aid->fpm, hg->blp));
  PetscCall(FPMCreateState(aid->fpm, &like));
  PetscCall(StateCreateFlat(like, &aid->b));
  PetscCall(VecDuplicate(aid->b, &aid->v));
  PetscCall(VecDuplicate(aid->b, &aid->r));
  PetscCall(VecDuplicate(aid->b, &aid->dv));
  PetscCall(StateCreateView(like, &aid->in));
  PetscCall(StateCreateView(like, &aid->out));
  PetscCall(StateCreateView(like, &aid->vview));
  PetscCall(StateDestroy(&like));
  PetscCall(HGAIDCreateOperator_Private(hg));
  PetscCall(SetDefaultKSP(hg));
  PetscCall(HGCheckKSPSymmetry_Private(hg, aid->ksp, aid->fpm));
  PetscCall(SetPreconditioner(hg));
  PetscCall(HGCheckKSPSolves_Private(hg, aid->ksp));
  aid->largest = aid->smallest = HGLanczosNone_Private();
  if (aid->lanczos) PetscCall(HGLanczosSetUp_Private(hg, aid->ksp));
  PetscCall(HGChebyshevSetUp_Private(hg, &aid->chebyshev, aid->ksp, aid->precond));
  PetscCall(SetConvergenceTest(aid, HGHasTolerance_Private(hg)));
  PetscCall(
      BLPCreateVecs(hg->blp, &lambda, NULL)); /* set-ups that apply the operator need a point: lambda = 0 */
  PetscCall(VecZeroEntries(lambda));
  PetscCall(BLPGetBounds(hg->blp, &lower, &upper)); /* or the next one allowed */
  if (lower) PetscCall(VecPointwiseMax(lambda, lambda, lower));
  if (upper) PetscCall(VecPointwiseMin(lambda, lambda, upper));
  PetscCall(HGAIDLinearize_Private(hg, lambda));
  PetscCall(VecDestroy(&lambda));
  PetscCall(KSPSetUp(aid->ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ options */

/* The type's own part, for what only it has. */
static PetscErrorCode GetAID(HG hg, const char what[], AID **aid)
{
  PetscBool is;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGAID, &is));
  PetscCheck(is, PetscObjectComm((PetscObject)hg), PETSC_ERR_ARG_WRONG, "only an aid hypergradient has %s",
             what);
  *aid = (AID *)hg->data;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetKSP(HG hg, KSP *ksp)
{
  AID *aid = NULL;

  PetscFunctionBegin;
  PetscCall(GetAID(hg, "a KSP", &aid));
  *ksp = aid->ksp;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetPrecond(HG hg, Precond *precond)
{
  AID *aid = NULL;

  PetscFunctionBegin;
  PetscCall(GetAID(hg, "a preconditioner", &aid));
  PetscCall(HGCheckOneLevel_Private(hg, "HGGetPrecond()"));
  *precond = aid->precond ? aid->precond : aid->own;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetAdjointFPM(HG hg, FPM *fpm)
{
  AID *aid = NULL;

  PetscFunctionBegin;
  PetscCall(GetAID(hg, "a map of the adjoint", &aid));
  PetscCall(HGCheckOneLevel_Private(hg, "HGGetAdjointFPM()"));
  *fpm = aid->fpm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGAIDSetLanczos(HG hg, PetscBool compute)
{
  AID *aid = NULL;

  PetscFunctionBegin;
  PetscCall(GetAID(hg, "Lanczos values", &aid));
  if (aid->lanczos != compute) hg->setup = PETSC_FALSE;
  aid->lanczos = compute;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGAIDSetChebyshevInterval(HG hg, HGChebyshevInterval interval)
{
  AID *aid = NULL;

  PetscFunctionBegin;
  PetscCall(GetAID(hg, "Chebyshev's method", &aid));
  if (aid->chebyshev.source != interval) hg->setup = PETSC_FALSE;
  aid->chebyshev.source = interval;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetChebyshevInterval(HG hg, TwofoldConstant *a, TwofoldConstant *b)
{
  PetscBool aid;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGAID, &aid));
  *a = *b = HGChebyshevNone_Private();
  if (aid) *a = ((AID *)hg->data)->chebyshev.low;
  if (aid) *b = ((AID *)hg->data)->chebyshev.high;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGGetLanczos(HG hg, TwofoldConstant *L, TwofoldConstant *mu)
{
  PetscBool aid;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGAID, &aid));
  *L = *mu = (TwofoldConstant){.value = NAN, .error = NAN, .origin = "only aid has Lanczos values"};
  if (aid) *L = ((AID *)hg->data)->largest;
  if (aid) *mu = ((AID *)hg->data)->smallest;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSetFromOptions_AID(HG hg, PetscOptionItems *PetscOptionsObject)
{
  AID *aid = (AID *)hg->data;
  PetscBool chosen;

  PetscFunctionBegin;
  PetscCall(PetscOptionsBool("-hg_warm_start", "Start the adjoint solve from the last accepted v", "HG",
                             hg->warm_start, &hg->warm_start, NULL));
  PetscCall(PetscOptionsBool("-hg_lanczos", "Extreme Lanczos values of the adjoint's CG", "HGAIDSetLanczos",
                             aid->lanczos, &aid->lanczos, NULL));
  PetscCall(TwofoldChildPrefix((PetscObject)aid->fpm, (PetscObject)hg, "hg_"));
  PetscCall(KSPSetOptionsPrefix(aid->ksp, ((PetscObject)hg)->prefix)); /* and its PC's with it */
  PetscCall(KSPAppendOptionsPrefix(aid->ksp, "hg_"));
  if (hg->blp) PetscCall(FPMSetBLP(aid->fpm, hg->blp)); /* its default type is the problem's */
  PetscCall(FPMSetFromOptions(aid->fpm));
  PetscCall(
      PetscOptionsHasName(((PetscObject)hg)->options, ((PetscObject)aid->ksp)->prefix, "-ksp_type", &chosen));
  PetscCall(SetDefaultKSP(hg));
  PetscCall(KSPSetFromOptions(aid->ksp));
  if (chosen) aid->standard = NULL;
  PetscCall(HGChebyshevFromOptions_Private(&aid->chebyshev, aid->ksp, PetscOptionsObject));
  PetscCall(TwofoldChildPrefix((PetscObject)aid->own, (PetscObject)hg, "hg_"));
  PetscCall(PrecondSetFromOptions(aid->own));
  PetscFunctionReturn(PETSC_SUCCESS);
}
