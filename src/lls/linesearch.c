/* The line search of newton on a loss l that is convex or nearly so: along p the slope grad l . p rises, and
   a step t is good where l has fallen enough,

     l(w + t p) <= l(w) + 1e-4 t grad l(w) . p                                                    (Armijo)

   or where l tells no more, since it changes by its rounding only or has no value, and the slope there is
   flat or still downhill, grad l(w + t p) . p <= -0.1 grad l(w) . p (after Hager and Zhang, SIAM J. Optim. 16
   (2005)). Close to the end, where l is at its rounding or, without a value, the step is below 1e-6 of w, the
   norm of the gradient must fall, too: a search that fails has met the rounding of the gradient. A step that
   is too long is cut to where the slope's secant is 0. The norm of the gradient alone, by which PETSc's line
   searches for equations go, has to rise on the way where l is far from quadratic. */
#include <twofold/compat.h>
#include <twofold/impl/llsimpl.h>

enum { MAX_TRIALS = 40 };

/* What is known of a trial. */
typedef struct {
  PetscReal t;
  PetscReal slope, slope_there; /* grad l . p at w and at w + t p */
  PetscReal norm, norm_there;   /* of grad l */
  PetscReal length;             /* ||t p|| / ||w|| */
} Trial;

static PetscBool IsGood(const LLSLineSearch *search, const Trial *at)
{
  const PetscReal rise = search->trial - search->value; /* NaN where there is no value */
  const PetscReal rounding = 1e-14 * PetscMax(PetscAbsReal(search->value), PetscAbsReal(search->trial));
  const PetscBool known = (PetscBool)!PetscIsNanReal(rise);

  if (PetscIsInfOrNanReal(at->norm_there)) return PETSC_FALSE;
  if (known && PetscAbsReal(rise) > rounding) return (PetscBool)(rise <= 1e-4 * at->t * at->slope);
  if ((known || at->length < 1e-6) && at->norm_there >= at->norm) return PETSC_FALSE;
  return (PetscBool)(at->slope_there <= -0.1 * at->slope);
}

/* Looks for t along p = -Y from X. W and G are the trial and its gradient. */
static PetscErrorCode Search(SNES snes, LLSLineSearch *search, Vec X, Vec Y, Vec W, Vec G, Trial *at,
                             PetscBool *good)
{
  const PetscReal length = at->length;

  PetscFunctionBegin;
  *good = PETSC_FALSE;
  for (int trial = 0; at->slope < 0 && trial < MAX_TRIALS && !*good; trial++) {
    if (trial > 0) { /* cut the step; half of it where there is no number */
      const PetscReal zero = at->slope_there > 0 ? at->slope / (at->slope - at->slope_there) : 0.5;
      at->t *= PetscMin(PetscMax(zero, 0.1), 0.5);
    }
    PetscCall(VecWAXPY(W, -at->t, Y, X));
    PetscCall(SNESComputeFunction(snes, W, G));
    PetscCall(VecDot(G, Y, &at->slope_there));
    at->slope_there = -at->slope_there;
    PetscCall(VecNorm(G, NORM_2, &at->norm_there));
    at->length = at->t * length;
    *good = IsGood(search, at);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* SNES's w is X, its residual F, and its step -Y. */
static PetscErrorCode Apply(SNESLineSearch linesearch, void *ctx)
{
  LLSLineSearch *const search = (LLSLineSearch *)ctx;
  Trial at = {.t = 1};
  PetscReal length, wnorm;
  PetscBool good;
  Vec X, F, Y, W, G;
  SNES snes;

  PetscFunctionBegin;
  PetscCall(SNESLineSearchGetSNES(linesearch, &snes));
  PetscCall(SNESLineSearchGetVecs(linesearch, &X, &F, &Y, &W, &G));
  PetscCall(VecDot(F, Y, &at.slope));
  at.slope = -at.slope;
  PetscCall(VecNorm(F, NORM_2, &at.norm));
  PetscCall(VecNorm(X, NORM_2, &wnorm));
  PetscCall(VecNorm(Y, NORM_2, &length));
  search->uphill = (PetscBool)(at.slope > 0);
  at.length = wnorm > 0 ? length / wnorm : 1;
  PetscCall(Search(snes, search, X, Y, W, G, &at, &good));
  if (good) {
    PetscCall(VecCopy(W, X));
    PetscCall(VecCopy(G, F));
    PetscCall(VecNorm(X, NORM_2, &wnorm));
    search->value = search->trial;
    at.norm = at.norm_there;
  }
  PetscCall(
      SNESLineSearchSetReason(linesearch, good ? SNES_LINESEARCH_SUCCEEDED : SNES_LINESEARCH_FAILED_REDUCT));
  PetscCall(SNESLineSearchSetLambda(linesearch, good ? at.t : 0));
  PetscCall(SNESLineSearchSetNorms(linesearch, wnorm, at.norm, at.t * length));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSSetLineSearch_Private(SNES snes, LLSLineSearch *search)
{
  SNESLineSearch linesearch;

  PetscFunctionBegin;
  PetscCall(SNESGetLineSearch(snes, &linesearch));
  PetscCall(SNESLineSearchSetType(linesearch, SNESLINESEARCHSHELL));
  PetscCall(SNESLineSearchShellSetApply(linesearch, Apply, search));
  PetscFunctionReturn(PETSC_SUCCESS);
}
