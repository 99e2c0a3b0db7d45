/* simplex: x >= 0, sum of x = r. The projection is max(x - tau, 0) with the one tau for which its sum is r.
   With z = (x - max x) / r and tau measured likewise, tau solves

     phi(tau) = sum_i max(z_i - tau, 0) - 1 = 0,      tau in [-1, 0)

   so that only entries with z > -1 can be positive, and nothing cancels or overflows whatever the size of x
   and r. Newton's method from the left, which is Michelot's: the threshold of the candidates, were all of
   them positive, drops those not above it, until none is dropped. No threshold passes tau, so no candidate is
   lost that should stay, and the largest entry always does. Each step divides phi times the number of
   candidates by 4 at least (phi_k >= phi_{k+1} + n_{k+1} phi_k / n_k), hence a few dozen steps at worst; each
   costs one reduction of two numbers. Ends when the number of candidates stays: finite in any arithmetic.

   References: C. Michelot, J. Optim. Theory Appl. 50 (1986) 195-200; L. Condat, Math. Program. 158 (2016)
   575-585. */
#include <twofold/impl/lsetimpl.h>

static PetscErrorCode LSETSetUp_Simplex(LSET lset, Vec layout)
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetSize(layout, &n));
  PetscCheck(n > 0, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_SIZ,
             "a simplex needs one entry at least: no vector without entries has the sum %g",
             (double)lset->radius);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The largest entry; NaN where the projection is not defined. Collective. */
static PetscErrorCode Largest(MPI_Comm comm, PetscInt n, const PetscScalar x[], PetscReal *largest)
{
  PetscReal all[2] = {-(PetscReal)INFINITY, 0}; /* and whether there is a NaN, on which MPI_MAX is vague */

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    if (x[i] > all[0]) all[0] = x[i];
    if (PetscIsNanScalar(x[i])) all[1] = 1;
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, all, 2, MPIU_REAL, MPIU_MAX, comm));
  *largest = all[1] > 0 || PetscIsInfReal(all[0]) ? (PetscReal)NAN : all[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Puts the candidates above `threshold` first; how many they are. */
static PetscInt Above(PetscInt n, PetscReal z[], PetscReal threshold)
{
  PetscInt kept = 0;

  for (PetscInt i = 0; i < n; i++)
    if (z[i] > threshold) z[kept++] = z[i];
  return kept;
}

/* sum (z_i - shift) over all ranks, compensated on each (Kahan), since long sums of equal terms would lose
   digits; and how many z there are, which a double counts exactly. Collective. */
static PetscErrorCode Sum(MPI_Comm comm, PetscInt n, const PetscReal z[], PetscReal shift, PetscReal *sum,
                          PetscReal *count)
{
  PetscReal both[2] = {0, (PetscReal)n}, lost = 0;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal term = (z[i] - shift) - lost, next = both[0] + term;
    lost = (next - both[0]) - term;
    both[0] = next;
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, both, 2, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(PetscLogFlops(5.0 * (PetscLogDouble)n));
  *sum = both[0];
  *count = both[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* tau = threshold + correction: a sum of two, so that many small positive entries still sum to 1. Overwrites
   z. Collective. */
static PetscErrorCode Threshold(MPI_Comm comm, PetscInt n, PetscReal z[], PetscReal *threshold,
                                PetscReal *correction)
{
  PetscReal sum, count, before;

  PetscFunctionBegin;
  n = Above(n, z, -1);
  PetscCall(Sum(comm, n, z, 0, &sum, &count));
  do {
    before = count;
    *threshold = (sum - 1) / count;
    n = Above(n, z, *threshold);
    PetscCall(Sum(comm, n, z, 0, &sum, &count));
  } while (count < before);
  PetscCall(Sum(comm, n, z, *threshold, &sum, &count));
  *correction = (sum - 1) / count;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETProject_Simplex(LSET lset, Vec x)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)lset);
  const PetscReal r = lset->radius;
  PetscReal largest, threshold = 0, correction = 0, *z;
  PetscScalar *a;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArray(x, &a));
  PetscCall(Largest(comm, n, a, &largest));
  PetscCall(PetscMalloc1(n, &z));
  for (PetscInt i = 0; i < n; i++) z[i] = (a[i] - largest) / r; /* -inf where it overflows: not a candidate */
  if (PetscIsNanReal(largest))
    threshold = correction = (PetscReal)NAN;
  else
    PetscCall(Threshold(comm, n, z, &threshold, &correction));
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal positive = ((a[i] - largest) / r - threshold) - correction;
    a[i] = positive <= 0 ? 0 : r * positive; /* NaN goes through */
  }
  PetscCall(PetscFree(z));
  PetscCall(VecRestoreArray(x, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate_Simplex(LSET lset)
{
  PetscFunctionBegin;
  lset->data = NULL;
  lset->uses_radius = PETSC_TRUE;
  lset->ops->setup = LSETSetUp_Simplex;
  lset->ops->project = LSETProject_Simplex;
  PetscFunctionReturn(PETSC_SUCCESS);
}
