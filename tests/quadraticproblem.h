#ifndef TWOFOLD_TEST_QUADRATICPROBLEM_H
#define TWOFOLD_TEST_QUADRATICPROBLEM_H
/* Problem `quadratic` from a specification, and that of a synthetic problem. */
#include "synthetic.h"

typedef struct {
  PetscInt n, m, seed;
  PetscReal mu, L, beta, gamma, eta1, eta2;
  PetscBool linear, map, worst;
} QuadraticSpec;

/* The coupling is small, so that the steps of the tests suit all lambda of theirs. */
static inline QuadraticSpec QuadraticSpecOf(const Synthetic *s)
{
  return (QuadraticSpec){.n = s->p + s->c,
                         .m = s->p,
                         .seed = (PetscInt)s->seed,
                         .mu = 0.1,
                         .L = 1,
                         .beta = 0.7,
                         .gamma = s->density > 0 && !s->map ? 0.05 : 0,
                         .eta1 = 1.3,
                         .eta2 = 0.6,
                         .linear = s->bias,
                         .map = s->map};
}

static inline PetscErrorCode QuadraticProblem(MPI_Comm comm, const QuadraticSpec *q, const char more[],
                                              BLP *blp)
{
  PetscOptions options;
  char text[512];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "-blp_quadratic_n %d -blp_quadratic_m %d -blp_quadratic_seed %d "
                          "-blp_quadratic_mu %.17g -blp_quadratic_L %.17g -blp_quadratic_beta %.17g "
                          "-blp_quadratic_gamma %.17g -blp_quadratic_eta1 %.17g -blp_quadratic_eta2 %.17g "
                          "-blp_quadratic_spectrum %s -blp_quadratic_symmetric %d -blp_quadratic_worst %d %s",
                          (int)q->n, (int)q->m, (int)q->seed, (double)q->mu, (double)q->L, (double)q->beta,
                          (double)q->gamma, (double)q->eta1, (double)q->eta2, q->linear ? "linear" : "log",
                          !q->map, q->worst, more));
  PetscCall(OptionsUse(text, &options));
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetType(*blp, BLPQUADRATIC));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(BLPSetUp(*blp));
  PetscCall(OptionsDrop(&options));
  PetscFunctionReturn(0);
}

static inline PetscErrorCode SyntheticQuadratic(MPI_Comm comm, BLPType type, const Synthetic *s, BLP *blp)
{
  const QuadraticSpec q = QuadraticSpecOf(s);

  PetscFunctionBegin;
  (void)type;
  PetscCall(QuadraticProblem(comm, &q, "", blp));
  PetscFunctionReturn(0);
}

#endif
