/* The interval of aid's Chebyshev method. On [a, b] its k-th residual is p_k(A) times the first one,

     p_k(x) = T_k((b + a - 2 x) / (b - a)) / T_k((b + a) / (b - a)),     A = I - d1Phi^T symmetric

   at most 1 / T_k((b + a) / (b - a)) = 2 rho^k / (1 + rho^(2k)) on [a, b], rho = (sqrt(b/a) - 1) / (sqrt(b/a)
   + 1), and that at both ends. An eigenvalue in (0, a) is only slower, one above b diverges: what is computed
   is widened above alone.

     formula     alpha mu and alpha L of a loss by gd; 1 - q and 1 + q of the problem's own map
     computed    of A, or of P^(-1/2) A P^(-1/2) where P preconditions, by SLEPc at the point of the solve
     ksp         what PETSc's KSPCHEBYSHEV makes of a few steps of GMRES: 0.1 and 1.1 times its largest value
 */
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/precondimpl.h>

const char *const HGChebyshevIntervals[] = {
    "auto", "formula", "computed", "ksp", "HGChebyshevInterval", "HG_CHEBYSHEV_", NULL};

static const PetscReal widening = 0.01, /* of a computed b: Ritz values lie inside */
    narrowest = 1e-6;                   /* b/a - 1 at least: PETSc wants b > a */

TwofoldConstant HGChebyshevNone_Private(void)
{
  return (TwofoldConstant){.value = NAN, .error = NAN, .origin = "the interval is the KSP's own"};
}

/* ------------------------------------------------------------------ who may have one */

/* What stands against an interval of ours, in words that are never freed; NULL: nothing. */
static PetscErrorCode Obstacle(const HGChebyshev *cheb, KSP ksp, Precond precond, const char **why)
{
  const PetscBool formula = (PetscBool)(cheb->source != HG_CHEBYSHEV_COMPUTED);
  PetscBool none, root, bare;
  PC pc;

  PetscFunctionBegin;
  PetscCall(PrecondIsNone_Private(precond, &none));
  PetscCall(PrecondHasRoot_Private(precond, &root));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCNONE, &bare));
  *why = NULL;
  if (cheb->own)
    *why = "the KSP's -ksp_chebyshev_eigenvalues or _esteig is given, too: drop one of them";
  else if (!none && formula)
    *why = "the constants are those of the Hessian, not of the preconditioned one: use computed or ksp";
  else if (!none && !root)
    *why = "the type of preconditioner has no square root to make a symmetric operator of: use ksp";
  else if (none && !bare)
    *why = "the interval would be that of the operator without -hg_pc_type: use ksp";
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The KSP makes no estimate of its own before it is told. */
static PetscErrorCode Tell(HGChebyshev *cheb, KSP ksp, PetscReal a, PetscReal b)
{
  PetscFunctionBegin;
  PetscCall(KSPChebyshevSetEigenvalues(ksp, PetscMax(b, a * (1 + narrowest)), a));
  cheb->told = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What the KSP was told it forgets only with its type. */
static PetscErrorCode LeaveToKSP(HGChebyshev *cheb, KSP ksp)
{
  PetscFunctionBegin;
  cheb->low = cheb->high = HGChebyshevNone_Private();
  cheb->last = PETSC_MAX_INT;
  if (cheb->told) {
    PetscCall(KSPSetType(ksp, KSPRICHARDSON));
    PetscCall(KSPSetType(ksp, KSPCHEBYSHEV));
  }
  cheb->told = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGChebyshevSetUp_Private(HG hg, HGChebyshev *cheb, KSP ksp, Precond precond)
{
  const char *why = NULL;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp, KSPCHEBYSHEV, &cheb->on));
  cheb->low = cheb->high = HGChebyshevNone_Private();
  cheb->last = PETSC_MAX_INT;
  if (!cheb->on) PetscFunctionReturn(PETSC_SUCCESS);
  if (cheb->source != HG_CHEBYSHEV_KSP) PetscCall(Obstacle(cheb, ksp, precond, &why));
  PetscCheck(!why || cheb->source == HG_CHEBYSHEV_AUTO, PetscObjectComm((PetscObject)hg), PETSC_ERR_SUP,
             "-%shg_chebyshev_interval %s: %s", HGPrefix_Private(hg), HGChebyshevIntervals[cheb->source],
             why);
  cheb->ours = (PetscBool)(cheb->source != HG_CHEBYSHEV_KSP && !why);
  if (cheb->ours)
    PetscCall(Tell(cheb, ksp, 1, 2)); /* until the first point */
  else
    PetscCall(LeaveToKSP(cheb, ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ by formula */

static TwofoldConstant Scaled(TwofoldConstant c, PetscReal factor)
{
  c.value *= factor;
  c.error *= factor;
  return c;
}

/* Unknown where a constant is. */
static PetscErrorCode Formula(FPM fpm, Vec lambda, TwofoldConstant *low, TwofoldConstant *high)
{
  PetscReal alpha;
  PetscBool own;
  FPMMethod method;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(FPMGetBLP(fpm, &blp));
  PetscCall(FPMGetMethod(fpm, &method));
  PetscCall(PetscObjectTypeCompare((PetscObject)fpm, FPMPROBLEM, &own));
  if (method == FPM_METHOD_GD) {
    PetscCall(FPMGetStep(fpm, &alpha));
    PetscCall(BLPGetStrongConvexity(blp, lambda, low));
    PetscCall(BLPGetSmoothness(blp, lambda, high));
    *low = Scaled(*low, alpha);
    *high = Scaled(*high, alpha);
  } else {
    *low = *high = (TwofoldConstant){.value = NAN, .origin = "the map has no formula"};
    if (own) PetscCall(BLPGetContraction(blp, lambda, high));
    *low = *high;
    low->value = 1 - high->value;
    high->value += 1;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool Known(const TwofoldConstant *c)
{
  return (PetscBool)(c->standing != TWOFOLD_UNKNOWN);
}

static PetscReal AtLeast(const TwofoldConstant *c)
{
  return Known(c) ? c->value - c->error : -(PetscReal)INFINITY;
}

static PetscReal AtMost(const TwofoldConstant *c)
{
  return Known(c) ? c->value + c->error : (PetscReal)INFINITY;
}

static PetscErrorCode CheckFormula(HG hg, FPM fpm, const TwofoldConstant *low, const TwofoldConstant *high)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  const char *const prefix = HGPrefix_Private(hg);
  FPMMethod method;

  PetscFunctionBegin;
  PetscCall(FPMGetMethod(fpm, &method));
  const PetscBool loss = (PetscBool)(method == FPM_METHOD_GD);
  PetscCheck(Known(high), comm, PETSC_ERR_SUP,
             "-%shg_chebyshev_interval formula needs %s, which is unknown (%s): use computed, or ksp", prefix,
             loss ? "L" : "the contraction constant q", high->origin);
  PetscCheck(Known(low), comm, PETSC_ERR_SUP,
             "-%shg_chebyshev_interval formula needs mu, which is unknown (%s): use computed, or ksp", prefix,
             low->origin);
  PetscCheck(!(AtLeast(low) <= 0), comm, PETSC_ERR_SUP,
             "-%shg_chebyshev_interval formula needs %s, and the least eigenvalue of I - d1Phi is at least "
             "%g (%s): use computed, or ksp",
             prefix, loss ? "mu > 0" : "q < 1", (double)AtLeast(low), low->origin);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ by SLEPc */

typedef struct {
  Mat A;
  Precond precond; /* NULL: none */
  Vec x, y;
  PetscInt products;
} Preconditioned;

static PetscErrorCode MatMult_Preconditioned(Mat B, Vec x, Vec y)
{
  Preconditioned *p;

  PetscFunctionBegin;
  PetscCall(MatShellGetContext(B, &p));
  p->products++;
  if (!p->precond) {
    PetscCall(MatMult(p->A, x, y));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PrecondApplyRoot_Private(p->precond, x, p->x));
  PetscCall(MatMult(p->A, p->x, p->y));
  PetscCall(PrecondApplyRoot_Private(p->precond, p->y, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Extreme eigenvalues; those by formula, where they are known, end the search for the least one. */
static PetscErrorCode Spectrum(Mat A, Precond precond, PetscReal limit, TwofoldConstant *low,
                               TwofoldConstant *high)
{
  const TwofoldSpectral how = {.tol = 1e-6, .max_products = 500, .seed = 1};
  Preconditioned p = {.A = A};
  PetscInt nlocal, n;
  PetscBool none;
  Mat B;

  PetscFunctionBegin;
  PetscCall(PrecondIsNone_Private(precond, &none));
  if (!none) p.precond = precond;
  PetscCall(MatCreateVecs(A, &p.x, &p.y));
  PetscCall(VecGetLocalSize(p.x, &nlocal));
  PetscCall(VecGetSize(p.x, &n));
  PetscCall(MatCreateShell(PetscObjectComm((PetscObject)A), nlocal, nlocal, n, n, &p, &B));
  PetscCall(MatShellSetOperation(B, MATOP_MULT, (void (*)(void))MatMult_Preconditioned));
  PetscCall(TwofoldEigenvalue(B, TWOFOLD_LARGEST, &p.products, 0, NAN, &how, high));
  PetscCall(TwofoldEigenvalue(B, TWOFOLD_SMALLEST, &p.products, high->value, limit, &how, low));
  if (high->error > how.tol * PetscAbsReal(high->value))
    high->standing = TWOFOLD_UNKNOWN; /* what is not found is not b */
  PetscCall(MatDestroy(&B));
  PetscCall(VecDestroy(&p.x));
  PetscCall(VecDestroy(&p.y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckComputed(HG hg, const TwofoldConstant *low, const TwofoldConstant *high,
                                    PetscReal a)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)hg);
  const char *const prefix = HGPrefix_Private(hg);

  PetscFunctionBegin;
  PetscCheck(Known(high), comm, PETSC_ERR_NOT_CONVERGED,
             "-%shg_chebyshev_interval computed: after %" PetscInt_FMT
             " products the largest eigenvalue is %g with residual %g: use ksp, or -%shg_ksp_type cg",
             prefix, high->products, (double)high->value, (double)high->error, prefix);
  PetscCheck(!(a <= 0), comm, PETSC_ERR_SUP,
             "-%shg_chebyshev_interval computed: after %" PetscInt_FMT
             " products the least eigenvalue is %g with residual %g, and %g the largest: the system is not "
             "known to be positive definite: use ksp, or -%shg_ksp_type cg or minres",
             prefix, low->products, (double)low->value, (double)low->error, (double)high->value, prefix);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* [a, b] between what is proved of the spectrum and what is computed of it. */
static PetscErrorCode Compute(HG hg, HGChebyshev *cheb, Mat A, FPM fpm, Precond precond, Vec lambda)
{
  TwofoldConstant least = HGChebyshevNone_Private(), most = least;
  PetscBool none;

  PetscFunctionBegin;
  PetscCall(PrecondIsNone_Private(precond, &none));
  if (none) PetscCall(Formula(fpm, lambda, &least, &most));
  PetscCall(Spectrum(A, precond, AtLeast(&least), &cheb->low, &cheb->high));
  const PetscReal a = PetscMax(AtLeast(&cheb->low), AtLeast(&least));
  PetscCall(CheckComputed(hg, &cheb->low, &cheb->high, a));
  cheb->low.value = a;
  cheb->high.value = PetscMin(AtMost(&cheb->high) * (1 + widening), AtMost(&most));
  cheb->low.error = cheb->high.error = 0;
  cheb->low.origin =
      "least eigenvalue at this point, by SLEPc, less its residual; the formula's where that is more";
  cheb->high.origin = "largest eigenvalue at this point, by SLEPc, with its residual, and 1 %; the formula's "
                      "where that is less";
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ at each point */

/* T_k of the midpoint, which PETSc computes step by step, overflows after so many of them; the residual has
   long ended then. */
static PetscInt LastStep(PetscReal a, PetscReal b)
{
  const PetscReal root = PetscSqrtReal(b / a), steps = 690 / PetscLogReal((root + 1) / (root - 1));

  return steps < (PetscReal)PETSC_MAX_INT ? (PetscInt)steps : PETSC_MAX_INT;
}

PetscErrorCode HGChebyshevPrepare_Private(HG hg, HGChebyshev *cheb, KSP ksp, Mat A, FPM fpm, Precond precond,
                                          Vec lambda)
{
  PetscFunctionBegin;
  if (!cheb->on || !cheb->ours) PetscFunctionReturn(PETSC_SUCCESS);
  if (cheb->source == HG_CHEBYSHEV_COMPUTED) {
    PetscCall(Compute(hg, cheb, A, fpm, precond, lambda));
  } else {
    PetscCall(Formula(fpm, lambda, &cheb->low, &cheb->high));
    if (cheb->source == HG_CHEBYSHEV_AUTO &&
        (!Known(&cheb->low) || !Known(&cheb->high) || AtLeast(&cheb->low) <= 0)) {
      PetscCall(LeaveToKSP(cheb, ksp));
      PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(CheckFormula(hg, fpm, &cheb->low, &cheb->high));
  }
  const PetscReal a = AtLeast(&cheb->low), b = PetscMax(AtMost(&cheb->high), a * (1 + narrowest));
  /* where lambda overflows the solve will, too, and that is a reason, not an error */
  const PetscBool finite = (PetscBool)(!PetscIsInfOrNanReal(a) && !PetscIsInfOrNanReal(b) && a > 0);
  PetscCall(Tell(cheb, ksp, finite ? a : 1, finite ? b : 2));
  cheb->last = finite ? LastStep(a, b) : PETSC_MAX_INT;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGChebyshevFromOptions_Private(HGChebyshev *cheb, KSP ksp,
                                              PetscOptionItems *PetscOptionsObject)
{
  const char *const names[] = {"-ksp_chebyshev_eigenvalues", "-ksp_chebyshev_esteig"};
  PetscBool chebyshev, given;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp, KSPCHEBYSHEV, &chebyshev));
  if (!chebyshev) PetscFunctionReturn(PETSC_SUCCESS);
  cheb->own = PETSC_FALSE;
  for (int i = 0; i < 2; i++) {
    PetscCall(PetscOptionsHasName(((PetscObject)ksp)->options, ((PetscObject)ksp)->prefix, names[i], &given));
    if (given) cheb->own = PETSC_TRUE;
  }
  PetscCall(PetscOptionsEnum("-hg_chebyshev_interval", "Where Chebyshev's interval comes from",
                             "HGAIDSetChebyshevInterval", HGChebyshevIntervals, (PetscEnum)cheb->source,
                             (PetscEnum *)&cheb->source, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGChebyshevView_Private(const HGChebyshev *cheb, PetscViewer viewer)
{
  PetscFunctionBegin;
  if (!cheb->on) PetscFunctionReturn(PETSC_SUCCESS);
  if (Known(&cheb->low))
    PetscCall(PetscViewerASCIIPrintf(viewer, "Chebyshev's interval %g to %g (%s)\n",
                                     (double)AtLeast(&cheb->low), (double)AtMost(&cheb->high),
                                     HGChebyshevIntervals[cheb->source]));
  else
    PetscCall(
        PetscViewerASCIIPrintf(viewer, "Chebyshev's interval: %s\n", HGChebyshevIntervals[cheb->source]));
  PetscFunctionReturn(PETSC_SUCCESS);
}
