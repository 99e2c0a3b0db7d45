/* Counter-based random numbers: a function of (seed, index) and of nothing else. */
#include <twofold/impl/sysimpl.h>

/* SplitMix64's finaliser: a bijection of 64-bit words. */
static uint64_t Mix(uint64_t z)
{
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

PetscInt64 TwofoldRandomBits(PetscInt64 seed, PetscInt64 index)
{
  const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
  return (PetscInt64)Mix((uint64_t)index * golden + Mix((uint64_t)seed + golden));
}

/* 52 bits and a half. */
PetscReal TwofoldRandomUniform(PetscInt64 seed, PetscInt64 index)
{
  const uint64_t bits = (uint64_t)TwofoldRandomBits(seed, index) >> 12;
  return ((PetscReal)bits + 0.5) / (PetscReal)(UINT64_C(1) << 52);
}

PetscReal TwofoldRandomNormal(PetscInt64 seed, PetscInt64 index)
{
  const PetscReal radius = PetscSqrtReal(-2 * PetscLogReal(TwofoldRandomUniform(seed, 2 * index)));
  return radius * PetscCosReal(2 * PETSC_PI * TwofoldRandomUniform(seed, 2 * index + 1));
}

PetscErrorCode TwofoldVecSetRandomNormal(Vec x, PetscInt64 seed)
{
  PetscInt start, n;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(x, &start, NULL));
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayWrite(x, &a));
  for (PetscInt i = 0; i < n; i++) a[i] = TwofoldRandomNormal(seed, start + i);
  PetscCall(VecRestoreArrayWrite(x, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}
