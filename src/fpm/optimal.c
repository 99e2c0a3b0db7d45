/* The step size and momentum of a map: those in use, and the optimal ones for the constants mu and L of the
   loss, mu I <= H <= L I, which the problem's formulas give at each lambda or somebody else computes once. */
#include <stdlib.h>
#include <twofold/impl/fpmimpl.h>

const char *const FPMConstantsSources[] = {"formula", "computed", "FPMConstants", "FPM_CONSTANTS_", NULL};

static const char *Prefix(FPM fpm)
{
  return ((PetscObject)fpm)->prefix ? ((PetscObject)fpm)->prefix : "";
}

PetscErrorCode FPMGetStep(FPM fpm, PetscReal *alpha)
{
  PetscFunctionBegin;
  *alpha = fpm->step;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMGetMomentum(FPM fpm, PetscReal *beta)
{
  PetscFunctionBegin;
  *beta = fpm->uses_momentum ? fpm->momentum : 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMGetMethod(FPM fpm, FPMMethod *method)
{
  PetscFunctionBegin;
  *method = fpm->method;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMGetBLP(FPM fpm, BLP *blp)
{
  PetscFunctionBegin;
  *blp = fpm->blp;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ formulas */

PetscErrorCode FPMOptimalConstants(FPMMethod method, PetscReal mu, PetscReal L, PetscReal *alpha,
                                   PetscReal *beta)
{
  PetscFunctionBegin;
  PetscCheck(L > 0 && !PetscIsInfReal(L), PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "L = %g: must be positive and finite", (double)L);
  PetscCheck(mu >= 0 && mu <= L, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "mu = %g: must be in [0, L], and L is %g", (double)mu, (double)L);
  PetscCheck(mu > 0 || method == FPM_METHOD_GD, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "mu = 0: only gradient descent has an optimal step without strong convexity");
  const PetscReal sqrt_L = PetscSqrtReal(L), sqrt_mu = PetscSqrtReal(mu);
  const PetscReal ratio = (sqrt_L - sqrt_mu) / (sqrt_L + sqrt_mu);
  switch (method) {
  case FPM_METHOD_GD:
    *alpha = mu > 0 ? 2 / (L + mu) : 1 / L;
    *beta = 0;
    break;
  case FPM_METHOD_HEAVYBALL:
    *alpha = 4 / ((sqrt_L + sqrt_mu) * (sqrt_L + sqrt_mu));
    *beta = ratio * ratio;
    break;
  case FPM_METHOD_NESTEROV:
    *alpha = 1 / L;
    *beta = ratio;
    break;
  default:
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_SUP, "no optimal step is known for this method");
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ where the constants come from */

PetscErrorCode FPMSetOptimalStep(FPM fpm, FPMConstants source)
{
  PetscFunctionBegin;
  if (fpm->optimal.on && fpm->optimal.source == source) PetscFunctionReturn(PETSC_SUCCESS);
  fpm->optimal.on = PETSC_TRUE;
  fpm->optimal.source = source;
  if (fpm->follow.on) fpm->setup = PETSC_FALSE;
  fpm->optimal.chosen = fpm->optimal.given = fpm->optimal.frozen = PETSC_FALSE;
  fpm->optimal.L = fpm->optimal.mu = (TwofoldConstant){.value = NAN, .error = NAN, .origin = "not asked for"};
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMNeedsConstants(FPM fpm, PetscBool *needs)
{
  PetscFunctionBegin;
  *needs =
      (PetscBool)(fpm->optimal.on && fpm->optimal.source == FPM_CONSTANTS_COMPUTED && !fpm->optimal.given);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMSetConstants(FPM fpm, const TwofoldConstant *L, const TwofoldConstant *mu)
{
  PetscFunctionBegin;
  PetscCheck(fpm->optimal.on && fpm->optimal.source == FPM_CONSTANTS_COMPUTED,
             PetscObjectComm((PetscObject)fpm), PETSC_ERR_ARG_WRONGSTATE,
             "FPMSetOptimalStep(fpm, FPM_CONSTANTS_COMPUTED) first");
  fpm->optimal.L = *L;
  fpm->optimal.mu = *mu;
  fpm->optimal.given = PETSC_TRUE;
  if (!fpm->optimal.frozen) fpm->optimal.chosen = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMGetConstants(FPM fpm, TwofoldConstant *L, TwofoldConstant *mu)
{
  const TwofoldConstant unknown = {.value = NAN, .error = NAN, .origin = "the step is a number"};

  PetscFunctionBegin;
  *L = fpm->optimal.on ? fpm->optimal.L : unknown;
  *mu = fpm->optimal.on ? fpm->optimal.mu : unknown;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What mu is at least: the safe side, and free of the last digits of an eigenvalue solve where the problem's
   own bound is its error. */
static PetscReal AtLeast(const TwofoldConstant *mu)
{
  return mu->standing != TWOFOLD_UNKNOWN && mu->value > mu->error ? mu->value - mu->error : 0;
}

/* ------------------------------------------------------------------ the choice */

static PetscErrorCode CheckConstants(FPM fpm)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)fpm);
  const TwofoldConstant *const L = &fpm->optimal.L, *const mu = &fpm->optimal.mu;
  const char *const type = ((PetscObject)fpm)->type_name, *const prefix = Prefix(fpm);

  PetscFunctionBegin;
  PetscCheck(L->standing != TWOFOLD_UNKNOWN, comm, PETSC_ERR_ARG_WRONG,
             "-%sfpm_step optimal needs L, which is unknown (%s): give a number%s%s%s", prefix, L->origin,
             fpm->optimal.source == FPM_CONSTANTS_FORMULA ? ", or -" : "",
             fpm->optimal.source == FPM_CONSTANTS_FORMULA ? prefix : "",
             fpm->optimal.source == FPM_CONSTANTS_FORMULA ? "fpm_constants computed" : "");
  PetscCheck(AtLeast(mu) > 0 || fpm->method == FPM_METHOD_GD, comm, PETSC_ERR_ARG_WRONG,
             "-%sfpm_step optimal: %s needs mu > 0, and mu is %g, standing %s (%s): give -%sfpm_step and "
             "-%sfpm_momentum as numbers, or use -%sfpm_type gd",
             prefix, type, (double)mu->value, TwofoldStandings[mu->standing], mu->origin, prefix, prefix,
             prefix);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMPrepare(FPM fpm, Vec lambda)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)fpm);
  const PetscBool formula = (PetscBool)(fpm->optimal.source == FPM_CONSTANTS_FORMULA);

  PetscFunctionBegin;
  PetscCall(FPMSetUp(fpm));
  if (!fpm->optimal.on || fpm->optimal.frozen) PetscFunctionReturn(PETSC_SUCCESS);
  if (!formula && fpm->optimal.chosen) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(fpm->method != FPM_METHOD_OTHER, comm, PETSC_ERR_SUP,
             "-%sfpm_step optimal: no optimal step is known for the map %s: give a number", Prefix(fpm),
             ((PetscObject)fpm)->type_name);
  if (formula) {
    PetscCall(BLPGetSmoothness(fpm->blp, lambda, &fpm->optimal.L));
    PetscCall(BLPGetStrongConvexity(fpm->blp, lambda, &fpm->optimal.mu));
  }
  PetscCheck(formula || fpm->optimal.given, comm, PETSC_ERR_ARG_WRONGSTATE,
             "-%sfpm_constants computed: nobody has computed them; FPMSetConstants() first", Prefix(fpm));
  PetscCall(CheckConstants(fpm));
  const PetscReal L = fpm->optimal.L.value, mu = PetscMin(AtLeast(&fpm->optimal.mu), L);
  if (PetscIsInfOrNanReal(
          L)) /* lambda overflows: the iterates will, too, and that is a reason, not an error */
    fpm->step = fpm->momentum = 0;
  else
    PetscCall(FPMOptimalConstants(fpm->method, mu, L, &fpm->step, &fpm->momentum));
  PetscCall(FPMPrepareFollow_Private(fpm, lambda, mu, L));
  fpm->optimal.chosen = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMFreeze(FPM fpm, PetscBool freeze)
{
  PetscFunctionBegin;
  PetscCheck(!freeze || !fpm->optimal.on || fpm->optimal.chosen, PetscObjectComm((PetscObject)fpm),
             PETSC_ERR_ARG_WRONGSTATE, "the optimal step has not been chosen yet: FPMPrepare() first");
  fpm->optimal.frozen = freeze;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMCheckPrepared_Private(FPM fpm)
{
  PetscFunctionBegin;
  PetscCheck(!fpm->optimal.on || fpm->optimal.chosen, PetscObjectComm((PetscObject)fpm),
             PETSC_ERR_ARG_WRONGSTATE, "the optimal step has not been chosen yet: FPMPrepare() first");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ options, view */

PetscErrorCode FPMStepFromOptions_Private(FPM fpm, PetscOptionItems *PetscOptionsObject)
{
  char text[64], *end;
  PetscBool given, optimal, differentiate = fpm->follow.on;
  FPMConstants source = fpm->optimal.on ? fpm->optimal.source : FPM_CONSTANTS_FORMULA;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%g", (double)fpm->step));
  if (fpm->optimal.on) PetscCall(PetscStrncpy(text, "optimal", sizeof(text)));
  PetscCall(PetscOptionsString("-fpm_step", "Step size alpha, or optimal: step and momentum from L and mu",
                               "FPMSetStep", text, text, sizeof(text), &given));
  PetscCall(PetscStrcmp(text, "optimal", &optimal));
  if (optimal) {
    PetscCall(PetscOptionsEnum("-fpm_constants", "L and mu of the optimal step", "FPMSetOptimalStep",
                               FPMConstantsSources, (PetscEnum)source, (PetscEnum *)&source, NULL));
    PetscCall(FPMSetOptimalStep(fpm, source));
    PetscCall(PetscOptionsBool("-fpm_differentiate_step", "Differentiate step and momentum in lambda, too",
                               "FPMSetDifferentiateStep", differentiate, &differentiate, NULL));
    PetscCall(FPMSetDifferentiateStep(fpm, differentiate));
  } else if (given && text[0]) { /* a missing value is told by whoever checks the options */
    const PetscReal step = (PetscReal)strtod(text, &end);
    PetscCheck(!*end, PetscObjectComm((PetscObject)fpm), PETSC_ERR_USER_INPUT,
               "-%sfpm_step %s: must be a number, or optimal", Prefix(fpm), text);
    PetscCall(FPMSetStep(fpm, step));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FPMViewOptimal_Private(FPM fpm, PetscViewer viewer)
{
  const TwofoldConstant *const L = &fpm->optimal.L, *const mu = &fpm->optimal.mu;

  PetscFunctionBegin;
  if (!fpm->optimal.on) PetscFunctionReturn(PETSC_SUCCESS);
  if (fpm->optimal.chosen)
    PetscCall(PetscViewerASCIIPrintf(viewer, "  optimal for L %g (%s), mu %g (%s)%s\n", (double)L->value,
                                     L->origin, (double)AtLeast(mu), mu->origin,
                                     fpm->optimal.frozen ? ", frozen" : ""));
  else
    PetscCall(
        PetscViewerASCIIPrintf(viewer, "  from L and mu, %s\n", FPMConstantsSources[fpm->optimal.source]));
  if (FPMFollows_Private(fpm)) PetscCall(PetscViewerASCIIPrintf(viewer, "  differentiated in lambda\n"));
  PetscFunctionReturn(PETSC_SUCCESS);
}
