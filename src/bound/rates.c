/* Rates by formula: what the eigenvalues of the Hessian make of those of d1Phi. */
#include <twofold/impl/boundimpl.h>

/* Largest modulus of the roots of z^2 - s z + r. */
static PetscReal LargestRoot(PetscReal s, PetscReal r)
{
  const PetscReal discriminant = s * s - 4 * r;

  if (discriminant <= 0) return PetscSqrtReal(r);
  return (PetscAbsReal(s) + PetscSqrtReal(discriminant)) / 2;
}

PetscErrorCode BoundRootModulus(FPMMethod method, PetscReal alpha, PetscReal beta, PetscReal h,
                                PetscReal *modulus)
{
  const PetscReal t = 1 - alpha * h;

  PetscFunctionBegin;
  switch (method) {
  case FPM_METHOD_GD:
    *modulus = PetscAbsReal(t);
    break;
  case FPM_METHOD_HEAVYBALL:
    *modulus = LargestRoot(t + beta, beta);
    break;
  case FPM_METHOD_NESTEROV:
    *modulus = LargestRoot((1 + beta) * t, beta * t);
    break;
  default:
    *modulus = NAN;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The modulus at the worse end of [low, high]. Over h it has one valley: with t = 1 - alpha h,
     gd         |t|
     heavyball  sqrt(beta) where |t + beta| <= 2 sqrt(beta), and grows with |t + beta| beyond
     Nesterov   0 at t = 0, and grows with |t|: sqrt(beta t) while the roots are complex, 0 < t < 4 beta / (1
   + beta)^2, and the larger real root outside */
static PetscErrorCode WorseEnd(FPMMethod method, PetscReal alpha, PetscReal beta, PetscReal low,
                               PetscReal high, PetscReal *modulus)
{
  PetscReal at_low, at_high;

  PetscFunctionBegin;
  PetscCall(BoundRootModulus(method, alpha, beta, low, &at_low));
  PetscCall(BoundRootModulus(method, alpha, beta, high, &at_high));
  *modulus = PetscMax(at_low, at_high);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundSpectralRadius(FPMMethod method, PetscReal alpha, PetscReal beta,
                                   const TwofoldConstant *mu, const TwofoldConstant *L,
                                   TwofoldConstant *radius)
{
  const char *const origins[] = {
      "no formula for this map", "max(|1 - alpha mu|, |1 - alpha L|)",
      "roots of z^2 - (1 + beta - alpha h) z + beta at h = mu, L",
      "roots of z^2 - (1 + beta) (1 - alpha h) z + beta (1 - alpha h) at h = mu, L"};
  const TwofoldStanding standing =
      method == FPM_METHOD_OTHER ? TWOFOLD_UNKNOWN : BoundTogether_Private(mu->standing, L->standing);
  PetscReal widened;

  PetscFunctionBegin;
  *radius = (TwofoldConstant){.value = NAN, .error = NAN, .standing = standing, .origin = origins[method]};
  if (standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(WorseEnd(method, alpha, beta, mu->value, L->value, &radius->value));
  PetscCall(WorseEnd(method, alpha, beta, mu->value - mu->error, L->value + L->error, &widened));
  radius->error = PetscMax(widened - radius->value, 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal Ratio(PetscReal L, PetscReal mu)
{
  return mu > 0 ? L / mu : (PetscReal)INFINITY;
}

PetscErrorCode BoundConditionNumber(const TwofoldConstant *mu, const TwofoldConstant *L,
                                    TwofoldConstant *kappa)
{
  const TwofoldStanding standing = BoundTogether_Private(mu->standing, L->standing);

  PetscFunctionBegin;
  *kappa = (TwofoldConstant){.value = NAN, .error = NAN, .standing = standing, .origin = "L / mu"};
  if (standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  kappa->value = Ratio(L->value, mu->value);
  kappa->error =
      PetscIsInfReal(kappa->value) ? 0 : Ratio(L->value + L->error, mu->value - mu->error) - kappa->value;
  PetscFunctionReturn(PETSC_SUCCESS);
}
