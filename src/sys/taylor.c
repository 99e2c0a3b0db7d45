/* Order of Taylor remainders, read off where rounding leaves it readable; the step of central differences. */
#include <twofold/impl/sysimpl.h>

PetscReal TwofoldTaylorStep(PetscInt k)
{
  return 0.1 * PetscPowRealInt(8, (int)-k);
}

/* Whether rounding leaves remainder k readable. */
static PetscBool Readable(const TwofoldTaylor *t, PetscInt k)
{
  return (PetscBool)(!PetscIsInfOrNanReal(t->remainder[k]) && t->remainder[k] > 10 * t->noise);
}

/* The order is that between the two smallest readable steps: a wrong derivative's e h shows there and not at
   larger steps, where the h^2 of a right one may hide it. With fewer than two the function is linear as far
   as rounding can tell. */
void TwofoldTaylorFit(TwofoldTaylor *t)
{
  PetscInt last = t->n - 1, finite = 0;

  for (PetscInt k = 0; k < t->n; k++) finite += !PetscIsInfOrNanReal(t->remainder[k]);
  t->readable = -1;
  t->order = finite ? (PetscReal)INFINITY : (PetscReal)NAN;
  t->error = finite ? 0 : (PetscReal)INFINITY;
  while (last > 0 && !(Readable(t, last) && Readable(t, last - 1))) last--;
  if (last <= 0) return;
  t->readable = last;
  t->order = PetscLogReal(t->remainder[last - 1] / t->remainder[last]) /
             PetscLogReal(TwofoldTaylorStep(last - 1) / TwofoldTaylorStep(last));
  t->error = t->remainder[last] / PetscMax(TwofoldTaylorStep(last) * t->slope, t->change[last]);
}

PetscBool TwofoldTaylorPasses(const TwofoldTaylor *t)
{
  return (PetscBool)(t->order >= 1.5); /* false for NaN */
}

PetscReal TwofoldCentralStep(PetscReal norm, PetscReal length)
{
  if (length == 0) return 1;
  return PetscPowReal(PETSC_MACHINE_EPSILON, 1.0 / 3) * PetscMax(norm, length) / length;
}
