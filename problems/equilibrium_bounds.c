/*
  Constants of classifiers of fixed points. Within the ball ||W' - W|| <= r, with the norms of linear maps
  their largest singular values, a the largest norm of a row of A, d additions of c to a state, s such that
  ||A||^2 is at most s times the sum of the squares of A's entries in lambda and so for B (d = s = 1 where A
  and B are matrices), m_i^2 = s (||w_i|| + r)^2 + s ||x_i||^2 + d, and 4 / 3^(3/2) = max |tanh''|:

    ||d1Phi|| <= ||A||
    eta1  = ||theta||^2 / (2 n)
    eta2  = (sum_i (||theta|| (||w_i|| + r) / 2 + 2^(1/2))^2)^(1/2) / n
    nu1   = 4 / 3^(3/2) a ||A||
    nu2   = 4 / 3^(3/2) a max m_i + s^(1/2)
    L_Phi = (s (||W|| + r)^2 + s ||X||_F^2 + d n)^(1/2)

  since the slope of a state's entry moves by at most max |tanh''| a as far as the state does, a state's
  slopes are at most 1, ||dA w_i + dB x_i + dc|| is at most m_i times the norm of (dA, dB, dc), the Hessian of
  a cross-entropy is at most 1/2 and its gradient at most 2^(1/2).
*/
#include "eigen.h"
#include "equilibrium.h"

static const PetscReal bend = 0.76980035891950104; /* 4 / 3^(3/2) */

/* x y, where 0 times infinity is 0. */
static inline PetscReal Times(PetscReal x, PetscReal y)
{
  return x == 0 || y == 0 ? 0 : x * y;
}

PetscErrorCode EquilibriumNorm_Private(PetscInt rows, PetscInt columns, const PetscReal M[], PetscReal *norm)
{
  PetscReal *G, *e;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2((size_t)rows * (size_t)rows, &G, rows, &e));
  PetscCall(EquilibriumGemm_Private("T", "N", rows, rows, columns, M, columns, M, columns, 0, G, rows));
  PetscCall(SymmetricEigen(rows, G, e));
  *norm =
      PetscSqrtReal(PetscMax(0, e[rows - 1])) * (1 + 2 * (PetscReal)(rows + columns) * PETSC_MACHINE_EPSILON);
  if (PetscIsNanReal(e[rows - 1])) *norm = e[rows - 1];
  PetscCall(PetscFree2(G, e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscReal Square(PetscInt n, const PetscReal x[])
{
  PetscReal sum = 0;

  for (PetscInt k = 0; k < n; k++) sum += x[k] * x[k];
  return sum;
}

static TwofoldConstant Proved(PetscReal value, const char origin[])
{
  return (TwofoldConstant){.value = value, .standing = TWOFOLD_PROVED, .origin = origin};
}

PetscErrorCode BLPContraction_Equilibrium(BLP blp, Vec lambda, TwofoldConstant *q)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  PetscReal norm = 0;

  PetscFunctionBegin;
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  PetscCall((*eq->layer->norm)(eq, eq->all, &norm));
  *q = Proved(norm, "||A||");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* What sums over training samples, or their largest, go into the constants. */
typedef struct {
  PetscReal x2, w2, pull, m2; /* ||X||_F^2, ||W||^2, (n eta2)^2, max m_i^2 */
} Sizes;

static PetscErrorCode Measure(const Equilibrium *eq, Vec w, PetscReal radius, PetscReal theta, Sizes *sizes)
{
  const EquilibriumSamples *const s = &eq->set[BLP_TRAIN];
  const PetscReal taps = (PetscReal)eq->taps, times = (PetscReal)(eq->h / eq->nc);
  PetscReal sums[3] = {0, 0, 0}, m2 = 0;
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(w, &a));
  for (PetscInt i = 0; i < s->layout->n; i++) {
    const PetscReal x2 = Square(eq->p, s->x + (size_t)i * (size_t)eq->p);
    const PetscReal w2 = Square(eq->h, a + (size_t)i * (size_t)eq->h), reach = PetscSqrtReal(w2) + radius;
    const PetscReal pull = Times(theta, reach) / 2 + PetscSqrtReal(2);
    sums[0] += x2;
    sums[1] += w2;
    sums[2] += pull * pull;
    m2 = PetscMax(m2, taps * (reach * reach + x2) + times);
  }
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, 3, MPIU_REAL, MPIU_SUM, s->layout->comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &m2, 1, MPIU_REAL, MPIU_MAX, s->layout->comm));
  *sizes = (Sizes){.x2 = sums[0], .w2 = sums[1], .pull = sums[2], .m2 = m2};
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPMapLipschitz_Equilibrium(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  PetscReal A = 0, theta = 0, row2 = 0;
  Sizes sizes = {0};

  PetscFunctionBegin;
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  const PetscReal n = (PetscReal)eq->set[BLP_TRAIN].layout->N, taps = (PetscReal)eq->taps;
  PetscCall((*eq->layer->norm)(eq, eq->all, &A));
  PetscCall(EquilibriumNorm_Private(eq->c, eq->h, EquilibriumTheta_Private(eq, eq->all), &theta));
  for (PetscInt k = 0; k < eq->rows; k++)
    row2 = PetscMax(row2, Square(eq->nA / eq->rows, eq->all + (size_t)k * (size_t)(eq->nA / eq->rows)));
  PetscCall(Measure(eq, w, radius, theta, &sizes));
  const PetscReal turn = bend * PetscSqrtReal(row2), reach = PetscSqrtReal(sizes.w2) + radius;
  c->eta1 = Proved(theta * theta / (2 * n), "||theta||^2 / (2 n)");
  c->eta2 = Proved(PetscSqrtReal(sizes.pull) / n, "of the classifier's gradient, sample by sample");
  c->nu1 = Proved(turn * A, "max |tanh''| max_k ||A_k|| ||A||");
  c->nu2 = Proved(Times(turn, PetscSqrtReal(sizes.m2)) + PetscSqrtReal(taps),
                  "max |tanh''| max_k ||A_k|| max_i m_i + s^(1/2)");
  c->L_Phi = Proved(PetscSqrtReal(taps * (reach * reach + sizes.x2) + n * (PetscReal)(eq->h / eq->nc)),
                    "(s (||W|| + r)^2 + s ||X||^2 + d n)^(1/2)");
  PetscFunctionReturn(PETSC_SUCCESS);
}
