#ifndef TWOFOLD_TEST_PROBLEM_H
#define TWOFOLD_TEST_PROBLEM_H
/* Synthetic problems of every type, and their lambda. Helpers that make objects from options and gather
   vectors. */
#include "classesproblem.h"
#include "equilibriumproblem.h"
#include "hyperrepproblem.h"
#include "krrproblem.h"
#include "quadraticproblem.h"
#include "userproblem.h"

static inline PetscErrorCode SyntheticUserProblem(MPI_Comm comm, BLPType type, const Synthetic *s, BLP *blp)
{
  UserProblem *user = NULL;

  PetscFunctionBegin;
  PetscCall(UserProblemCreate(comm, s->n[0], s->n[1], s->p, s->p + s->c, s->seed, &user));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, type));
  PetscCall(BLPSetTie(*blp, s->tie));
  PetscCall(UserProblemSet(*blp, user, s->map));
  PetscCall(BLPSetUp(*blp));
  PetscFunctionReturn(0);
}

/* What a type of problem has of its own. Without an entry here it is made from data sets with classes, has
   ties, and takes any lambda. */
typedef struct {
  BLPType type;
  void (*adapt)(Synthetic *s); /* to what the type can have: classes, real targets, options */
  PetscErrorCode (*make)(MPI_Comm comm, BLPType type, const Synthetic *s, BLP *blp); /* set up */
  /* an admissible lambda: larger with `center`, its entries further apart with `spread` */
  PetscErrorCode (*lambda)(const Synthetic *s, PetscInt64 seed, PetscReal spread, PetscReal center,
                           Vec lambda);
  PetscBool without_data, without_ties;
  PetscBool has_map;               /* the lower level may be a map instead: Synthetic.map */
  PetscBool only_map, without_val; /* it is no loss; validation samples are optional */
} SyntheticType;

/* Two classes, no bias, and no classes in lambda; losses are sums: features so small that the tests' step
   sizes are for them too. */
static inline void SyntheticTwoClasses(Synthetic *s)
{
  s->c = 2;
  s->bias = PETSC_FALSE;
  if (s->tie == BLP_TIE_CLASS) s->tie = BLP_TIE_OWN;
  if (s->scale == 0) s->scale = 0.5;
}

/* log(1 + exp(center + spread N(0, 1))) / 2 */
static inline PetscErrorCode SyntheticPositive(const Synthetic *s, PetscInt64 seed, PetscReal spread,
                                               PetscReal center, Vec lambda)
{
  PetscFunctionBegin;
  (void)s;
  PetscCall(TwofoldVecSetRandomNormal(lambda, seed));
  PetscCall(VecScale(lambda, spread));
  PetscCall(VecShift(lambda, center));
  PetscCall(VecExp(lambda));
  PetscCall(VecShift(lambda, 1));
  PetscCall(VecLog(lambda));
  PetscCall(VecScale(lambda, 0.5));
  PetscFunctionReturn(0);
}

/* Targets, likewise without bias and classes, and small features. */
#define SyntheticBiasedRegBeta 0.7
static inline void SyntheticRegression(Synthetic *s)
{
  s->real = PETSC_TRUE;
  s->bias = PETSC_FALSE;
  s->options = "-blp_biasedreg_beta 0.7";
  if (s->tie == BLP_TIE_CLASS) s->tie = BLP_TIE_OWN;
  if (s->scale == 0) s->scale = 0.3;
}

static inline SyntheticType SyntheticGetType(BLPType type)
{
  const SyntheticType types[] = {
      {.type = BLPBIASEDREG, .adapt = SyntheticRegression},
      {.type = BLPLOGISTIC, .adapt = SyntheticTwoClasses, .lambda = SyntheticPositive},
      {.type = BLPKRR, .adapt = SyntheticKRR, .lambda = SyntheticKRRLambda, .without_ties = PETSC_TRUE},
      {.type = BLPUSER,
       .make = SyntheticUserProblem,
       .without_data = PETSC_TRUE,
       .without_ties = PETSC_TRUE, /* t24-tie has them */
       .has_map = PETSC_TRUE},
      {.type = BLPQUADRATIC,
       .make = SyntheticQuadratic,
       .without_data = PETSC_TRUE,
       .without_ties = PETSC_TRUE, /* t28-quadratic has them */
       .has_map = PETSC_TRUE},
      {.type = BLPHYPERREP,
       .adapt = SyntheticHyperRep,
       .lambda = SyntheticHyperRepLambda,
       .without_ties = PETSC_TRUE},
      {.type = BLPDISTILL,
       .adapt = SyntheticDistill,
       .lambda = SyntheticDistillLambda,
       .without_ties = PETSC_TRUE /* one number for all pixels makes images that tell no classes apart */},
      {.type = BLPDATACLEAN, .adapt = SyntheticDataClean, .lambda = SyntheticDataCleanLambda},
      {.type = BLPEQUILIBRIUM,
       .adapt = SyntheticEquilibrium,
       .lambda = SyntheticEquilibriumLambda,
       .without_ties = PETSC_TRUE,
       .has_map = PETSC_TRUE,
       .only_map = PETSC_TRUE,
       .without_val = PETSC_TRUE},
      {.type = BLPCONVEQUILIBRIUM,
       .adapt = SyntheticConvEquilibrium,
       .lambda = SyntheticConvEquilibriumLambda,
       .without_ties = PETSC_TRUE,
       .has_map = PETSC_TRUE,
       .only_map = PETSC_TRUE,
       .without_val = PETSC_TRUE},
  };
  const SyntheticType other = {.type = type};

  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    if (!strcmp(type, types[i].type)) return types[i];
  return other;
}

/* Whether the lower level of a problem of this type can be a map, or a loss. */
static inline PetscBool SyntheticHasKind(BLPType type, PetscBool map)
{
  const SyntheticType own = SyntheticGetType(type);

  return map ? own.has_map : (PetscBool)!own.only_map;
}

/* s as the type has it: what SyntheticProblem() and a dense reference are made from. */
static inline Synthetic SyntheticSpec(BLPType type, const Synthetic *s)
{
  const SyntheticType own = SyntheticGetType(type);
  Synthetic spec = *s;

  if (own.adapt) own.adapt(&spec);
  return spec;
}

static inline PetscErrorCode SyntheticProblem(MPI_Comm comm, BLPType type, const Synthetic *s, BLP *blp)
{
  const SyntheticType own = SyntheticGetType(type);
  const Synthetic spec = SyntheticSpec(type, s);

  PetscFunctionBegin;
  PetscCall((own.make ? own.make : SyntheticFromData)(comm, type, &spec, blp));
  PetscFunctionReturn(0);
}

/* A lambda that the problem admits; center + spread N(0, 1) where it admits all. */
static inline PetscErrorCode SyntheticLambda(BLP blp, const Synthetic *s, PetscInt64 seed, PetscReal spread,
                                             PetscReal center, Vec lambda)
{
  BLPType type;

  PetscFunctionBegin;
  PetscCall(PetscObjectGetType((PetscObject)blp, &type));
  const SyntheticType own = SyntheticGetType(type);
  if (own.lambda) {
    const Synthetic spec = SyntheticSpec(type, s);
    PetscCall(own.lambda(&spec, seed, spread, center, lambda));
    PetscFunctionReturn(0);
  }
  PetscCall(TwofoldVecSetRandomNormal(lambda, seed));
  PetscCall(VecScale(lambda, spread));
  PetscCall(VecShift(lambda, center));
  PetscFunctionReturn(0);
}

/* A hypergradient of blp by these options, set up; `prefix` may be NULL. */
static inline PetscErrorCode HGMake(BLP blp, const char prefix[], const char text[], HG *hg)
{
  PetscOptions options;

  PetscFunctionBegin;
  PetscCall(OptionsUse(text, &options));
  PetscCall(HGCreate(PetscObjectComm((PetscObject)blp), hg));
  PetscCall(HGSetOptionsPrefix(*hg, prefix));
  PetscCall(HGSetBLP(*hg, blp));
  PetscCall(HGSetFromOptions(*hg));
  PetscCall(HGSetUp(*hg));
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(0);
}

/* All of x on every rank of its communicator. */
static inline PetscErrorCode VecGather(Vec x, PetscScalar all[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)x);
  const PetscScalar *a;
  const PetscInt *range;
  PetscMPIInt size, rank, *counts, *displ;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(VecGetOwnershipRanges(x, &range));
  PetscCall(PetscMalloc2(size, &counts, size, &displ));
  for (PetscMPIInt r = 0; r < size; r++) {
    counts[r] = (PetscMPIInt)(range[r + 1] - range[r]);
    displ[r] = (PetscMPIInt)range[r];
  }
  PetscCall(VecGetArrayRead(x, &a));
  PetscCallMPI(MPI_Allgatherv(a, counts[rank], MPIU_SCALAR, all, counts, displ, MPIU_SCALAR, comm));
  PetscCall(VecRestoreArrayRead(x, &a));
  PetscCall(PetscFree2(counts, displ));
  PetscFunctionReturn(0);
}

/* x <- this rank's piece of `all`. */
static inline PetscErrorCode VecFill(Vec x, const PetscScalar all[])
{
  PetscInt first, n;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(x, &first, NULL));
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayWrite(x, &a));
  PetscCall(PetscArraycpy(a, all + first, n));
  PetscCall(VecRestoreArrayWrite(x, &a));
  PetscFunctionReturn(0);
}

/* All of a state on every rank, vector after vector. */
static inline PetscErrorCode StateGather(State x, PetscScalar all[])
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetSize(x->v[0], &n));
  for (PetscInt k = 0; k < x->n; k++) PetscCall(VecGather(x->v[k], all + k * n));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode StateFill(State x, const PetscScalar all[])
{
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetSize(x->v[0], &n));
  for (PetscInt k = 0; k < x->n; k++) PetscCall(VecFill(x->v[k], all + k * n));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode StateSetRandomNormal(State x, PetscInt64 seed)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < x->n; k++) PetscCall(TwofoldVecSetRandomNormal(x->v[k], seed + k));
  PetscFunctionReturn(0);
}

/* ||x - expected|| / ||expected|| of arrays; ||x - expected|| where expected is 0. */
static inline PetscReal ArrayDifference(PetscInt n, const PetscScalar x[], const PetscScalar expected[])
{
  PetscReal difference = 0, scale = 0;

  for (PetscInt i = 0; i < n; i++) {
    difference += (x[i] - expected[i]) * (x[i] - expected[i]);
    scale += expected[i] * expected[i];
  }
  return PetscSqrtReal(scale > 0 ? difference / scale : difference);
}

/* All of x against an array that every rank has. */
static inline PetscErrorCode VecDifference(Vec x, const PetscScalar expected[], PetscReal *difference)
{
  PetscScalar *all;
  PetscInt n;

  PetscFunctionBegin;
  *difference = 0;
  PetscCall(VecGetSize(x, &n));
  PetscCall(PetscMalloc1(n, &all));
  PetscCall(VecGather(x, all));
  *difference = ArrayDifference(n, all, expected);
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* Slope of log r against log h between steps h and h / 2: the order of a Taylor remainder. */
static inline PetscReal TaylorOrder(PetscReal r, PetscReal r_half)
{
  return PetscLog2Real(r / r_half);
}

#endif
